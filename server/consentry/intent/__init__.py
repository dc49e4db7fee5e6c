"""What is being asked: a prompt, or a conversation, to an `Assessment`.

    text ──normalise──> readings (plain, leet, joined letters, reversed, decoded ...), with offsets
    reading ──marking──> words with their slots (garment, remove, without ...), by language
    marks ──grammar────> categories, age cues, references to a person

The words are data, one file a language in `lexicons/`; what they ask for together is data too, once
for all: `composition.json`. What it can and cannot do: docs/intent.md. How a language is added:
docs/writing-a-lexicon.md.
"""
