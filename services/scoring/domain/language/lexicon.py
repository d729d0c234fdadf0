"""Words and emoji that the general lexicon lacks or rates otherwise than customers mean them.

Rated as VADER rates: -4 (as bad as can be) to 4. In shops and help desks `support`, `please` and `charge` say nothing,
while `late`, `leaks` and `overpriced` say a lot.
"""

_RATED = {
    0.0: """support supported supporting supports please help helps helping care cares gift gifts free freely credit
        credited security secure share shared shares interest interested charge charged charges want wants wanted
        pay pays paid demand number fire cut cuts low alone drop leave leaving block argue dear kind join
        value values importance important ready active energy natural fresh sincerely regards well hand hands""",
    3.2: "superb flawless outstanding exceptional phenomenal",
    2.8: "amazin gorgeous delish delicious yummy mouthwatering scrumptious fab",
    2.3: """tasty comfy yum cosy cozy lightweight stylish sturdy durable reliable dependable trustworthy spotless
        smooth""",
    2.0: """recommend recommended recommending responsive affordable crisp breeze intuitive seamless effortless handy
        solid""",
    1.6: "promptly quickly quick fast speedy fits works adores adore addicted hassle-free punctual",
    1.2: "improvement sorted fixed solved resolved honoured refunded replaced solves fixes resolves lasts",
    -1.0: "waiting hold returned return returning chasing chase though unclear lag cheaper smaller pricey pricy",
    -1.4: """late later overdue missing slow slower slowest delay delayed delays delaying postponed expensive costly
        noisy loud bland dull stale dry sticky greasy patchy bulky heavy thin wobbly squeaks squeaky rattles buzzes
        scratchy scratched loose bent dented stained faded fades smudges creaks jams sticks itchy bored boring bitter
        sour difficult hidden flimsy tiny confusing complicated unfinished unanswered""",
    -1.9: """overpriced overcharged broke broken breaks cracked cracks crack leaks leaked leaking leaky peeled peeling
        torn ripped snapped split rust rusty rusted mould mouldy mold moldy rotten soggy burnt corked slimy faulty
        defective defect buggy bugs glitch glitches glitchy crash crashes crashed crashing freezes froze freezing
        flickers flickering overheats unresponsive unhelpful unfriendly impolite dismissive incompetent clueless
        crushed damaged spoiled melted tasteless blurry stuck refused refuse refuses outage""",
    -2.4: """rude unreliable misleading ripoff rip-off shoddy rubbish garbage junk crap unacceptable unusable unwearable
        inedible undelivered fuming livid fed-up scam scammed scammers nightmare shambles useless worthless refusing""",
    -3.0: "appalling disgraceful atrocious abysmal",
}

WORDS = {word: rating for rating, words in _RATED.items() for word in words.split()}
"""By word, lower case, its rating."""

EMOJI = {
    "😡": "furious",
    "🤬": "furious",
    "😠": "angry",
    "😤": "annoyed",
    "👿": "furious",
    "🙄": "annoyed",
    "😒": "annoyed",
    "😞": "disappointed",
    "😔": "sad",
    "😭": "crying sad",
    "😢": "sad",
    "😖": "upset",
    "😣": "upset",
    "🤮": "disgusting",
    "🤢": "disgusting",
    "👎": "bad",
    "💔": "heartbroken",
    "🤦": "annoyed",
    "💩": "crap",
    "👍": "good",
    "👌": "good",
    "🙌": "great",
    "👏": "great",
    "💪": "good",
    "🙏": "thanks",
    "❤": "love",
    "♥": "love",
    "💕": "love",
    "💖": "love",
    "💗": "love",
    "💙": "love",
    "💚": "love",
    "💛": "love",
    "💜": "love",
    "🖤": "love",
    "🧡": "love",
    "🥰": "love",
    "😍": "love",
    "🤩": "amazing",
    "😋": "yummy",
    "🤤": "yummy",
    "😊": "happy",
    "🙂": "happy",
    "😀": "happy",
    "😃": "happy",
    "😄": "happy",
    "😁": "happy",
    "🎉": "great",
    "⭐": "good",
    "🌟": "good",
    "💯": "great",
}
"""By emoji, a word of the same meaning; the general lexicon knows most by names such as `pouting face`."""
