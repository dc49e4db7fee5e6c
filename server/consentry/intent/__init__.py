"""What is being asked: a prompt, or a conversation, to an `Assessment`. English only, by rules.

    text ──normalise──> views of it (plain, leet, joined letters, reversed, decoded ...), with offsets
    view ──lexicon────> categories, age cues, references to a person
    text ──language───> is it covered at all?

The vocabulary is data: `lexicons/en.json` (rules with their examples) and `lexicons/en_words.json`.
What it can and cannot do: docs/intent.md.
"""
