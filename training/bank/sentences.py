"""Sentences with the word "bank", written for this bench: money lender and river side, 24 each.

The first of each are the two classic ones; the next three of each are close variants (deposit, river). Apache-2.0, as
the rest of Riparian.
"""

from __future__ import annotations

WORD = "bank"

MONEY = (
    "I went to the bank to deposit money.",
    "She went to the bank to deposit a cheque.",
    "He walked to the bank to deposit his wages.",
    "We drove to the bank to withdraw some cash.",
    "The bank raised its interest rates twice last year.",
    "My bank charges a fee for every transfer abroad.",
    "They asked the bank for a loan to buy a house.",
    "The clerk at the bank counted the notes once more.",
    "Her savings were safe in a bank that the state had insured.",
    "A small bank in our town failed during the crisis.",
    "The bank refused the mortgage because his income was too low.",
    "Two robbers fled from the bank with a bag of coins.",
    "You can open an account at the bank with your passport.",
    "The central bank printed more notes to pay the debt.",
    "Shares of the bank fell after it reported heavy losses.",
    "Our accountant sends the statements to the bank each month.",
    "The manager of the bank approved the credit within a day.",
    "After work I must call the bank about my stolen card.",
    "The merchant owed the bank nearly all of his capital.",
    "An investment bank advised both firms on the merger.",
    "Customers queued before the bank to take out their savings.",
    "The bank holds the title to the flat until the loan is repaid.",
    "Investors trust this bank with their pensions and bonds.",
    "The auditor found that the bank had hidden its bad debts.",
)

RIVER = (
    "I sat by the bank of the river.",
    "She sat by the bank of the stream.",
    "He rested on the bank of the river and watched the water.",
    "We camped on the bank of the river for a night.",
    "Willows grew along the bank where the water was slow.",
    "The boat drifted to the far bank and stuck in the reeds.",
    "Heavy rain had washed away the bank below the mill.",
    "An otter slid down the muddy bank into the stream.",
    "Children fished from the grassy bank all afternoon.",
    "The ferry landed on the northern bank before dark.",
    "Swallows dig their nests into the steep sandy bank.",
    "The flood rose over the bank and covered the meadow.",
    "Cattle came down to the bank to drink.",
    "They pulled the canoe up the bank and lit a fire.",
    "A heron stood motionless at the bank among the rushes.",
    "The path follows the left bank of the creek to the weir.",
    "Roots of old alders hold the bank together against the current.",
    "On the opposite bank a fisherman was mending his nets.",
    "The swimmers climbed out onto the bank and lay in the sun.",
    "Beavers had felled the poplars that shaded the bank.",
    "Mist hung over the water, and the bank could not be seen.",
    "The soldiers crossed the ford and formed up on the eastern bank.",
    "Wild mint grows on the damp bank beside the brook.",
    "At low tide the boat lay tilted against the bank of the estuary.",
)
