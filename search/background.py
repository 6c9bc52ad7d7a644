"""Questions about everyday things and strings that ask nothing: what a collection finds for them is chance.

They are compared with a collection's own hits to learn how good a hit is by accident (`search/relevance.py`). Those
that are at home in a collection, such as a question on bread in a cookery book, are few and count for little there.
"""

from __future__ import annotations

import random

QUESTIONS = (
    "how to knit a scarf for a beginner",
    "which football club won the cup that year",
    "recipe for a moist chocolate cake",
    "how often should a cat be taken to the vet",
    "best time to plant tomatoes in a small garden",
    "who wrote the song that was played at the wedding",
    "how to remove red wine from a carpet",
    "train times from the city to the coast on sunday",
    "what does a midwife do during labour",
    "rules of offside explained simply",
    "how to change a bicycle tyre",
    "cheap flights to an island in october",
    "history of the castle on the hill",
    "how do bees make honey",
    "learning to play the violin as an adult",
    "how to write a letter of resignation",
    "which paint dries fastest on wood",
    "opening hours of the public swimming pool",
    "meaning of the poem about two roads",
    "how to train for a marathon in winter",
    "symptoms of a cold and how long they last",
    "who was the first woman to climb that mountain",
    "how to choose a mattress for back pain",
    "dance lessons for couples near the station",
    "why do leaves turn red in autumn",
    "how to cook rice without a lid",
    "what to say at a funeral of a colleague",
    "names for a puppy with long ears",
    "the queen opened parliament in a golden coach",
    "how is cheese made from goat milk",
    "which stars can be seen from the southern sky",
    "how to fold a paper boat",
    "prices of second hand pianos",
    "when does the school holiday begin",
    "how to get rid of moths in a wardrobe",
    "the painter mixed blue and yellow on his palette",
    "what is the offence of trespass in common law",
    "sailing knots every beginner should know",
    "how to apply for a passport for a baby",
    "the monks copied books by candle light",
    "which wine goes with roast lamb",
    "how to grow orchids on a window sill",
    "film about a boy and his robot friend",
    "how much should a tenant pay for a deposit",
    "where do swallows fly in winter",
    "how to sharpen a kitchen knife",
    "the goalkeeper was sent off in the last minute",
    "ideas for a birthday party with small children",
    "how does the electoral college choose a president",
    "old coins found in a field by a farmer",
    "how to stop a tap from dripping",
    "fashion of the roaring twenties",
    "what should a pilgrim carry on the long road",
    "how to read a map without a compass",
    "the orchestra played the ninth symphony",
    "breeds of sheep kept for their wool",
    "how to brew beer in the cellar",
    "museum of clocks and watches",
    "the detective hid behind the curtain",
    "what is the capital of the country with the long coast",
    "how to paint a portrait in oils",
    "skiing with children in the alps",
    "how to say good morning in five languages",
    "the volcano covered the village with ash",
    "which insurance covers a broken window",
    "how to make candles at home",
    "fishing for trout in mountain streams",
    "the bride wore her grandmother's veil",
    "how to keep a diary every day",
    "what is the difference between jam and marmalade",
    "rents in the old town have doubled",
    "how to build a tree house",
    "chess openings for impatient players",
    "the lighthouse keeper counted the ships",
    "how to pack for a week in the rain",
    "wages of miners in the last century",
    "what do hedgehogs eat at night",
    "how to repair a zip on a jacket",
    "the circus came to town with two elephants",
    "which saints are painted on the ceiling",
    "how to iron a shirt properly",
    "quiz questions about capital cities",
    "the ferry was late because of fog",
    "how to teach a parrot to speak",
    "buying a used car from a stranger",
    "the library fines readers who return books late",
    "how to make friends in a new city",
    "ghost stories told by the fire",
    "how long to boil an egg for breakfast",
    "the strike closed the docks for a month",
)
"""Short questions and lines on things that few archives are about, in plain words."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SEED = 7


def noise(count: int = 30) -> list[str]:
    """Strings of letters that are no words: the same ones each time."""
    chance = random.Random(_SEED)

    def word() -> str:
        return "".join(chance.choices(_LETTERS, k=chance.randint(3, 9)))

    return [" ".join(word() for _ in range(chance.randint(1, 5))) for _ in range(count)]


def jumbled(count: int = 40) -> list[str]:
    """Words of the questions thrown together: the same ones each time."""
    chance = random.Random(_SEED)
    words = sorted({word for question in QUESTIONS for word in question.split() if len(word) > 3})
    return [" ".join(chance.sample(words, chance.randint(2, 6))) for _ in range(count)]
