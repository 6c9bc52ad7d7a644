"""The text behind the frozen start state: plain newswire-like prose, after which a model's states have settled.

Changing a letter changes the fingerprint of every encoder that starts from it.
"""

from __future__ import annotations

TEXT = (
    "The committee met on Tuesday morning to discuss the plan for the coming year. "
    "Its chairman said that most of the work had been finished before the summer. "
    "Nobody in the room asked what the rest would cost. "
    "In the afternoon, a small group of visitors walked along the river to see the old mill. "
    "They had read about it in a newspaper, but they did not know that it was closed. "
    '"We will come back next week," one of them said, and the others agreed. '
    "Prices rose by 3 percent in March, more than in any month since 1998. "
    "The company, which has its offices in the north of the country, reported a loss for the third time. "
    "After the rain had stopped, children played in the street until it was dark. "
    "It is not clear who wrote the letter or why it was never sent. "
    "The doctor told her that she should rest for a few days and drink a lot of water. "
    "At the end of the meeting, everyone went home."
)
