"""Undo the ways of writing a word so that people read it and programs do not.

Every view keeps, for each of its letters, where that letter came from, so that what was found can
be shown in the text as it was sent. Construction: Unicode NFKC (UAX 15); look-alike letters after
the idea of UTS 39, from letter names where Unicode has them, from a small table where it does not.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

_MIN_CODE_LETTERS = 8
_MIN_HEX_LETTERS = 8
_MIN_WORD_FOR_SPACING = 4
_MAX_TOKENS_OF_A_WORD = 12
_WIDEST_GAP = 2
_READABLE_SHARE = 0.85

_LOOKALIKES = str.maketrans(
    "авеёзікмнорсстухуьпгидјѕһԁԛԝґєїցոսօհαβγεηικμνορςτυχωσπλδ",
    "abee3ikmhopcctyxybnrudjshdqwreignuohabyenikmvopctuxwonld",
)
_LEET = str.maketrans("0134578@$!|€£+", "oieastbasilelt")
_LEET_L = str.maketrans("0134578@$!|€£+", "oleastbasllelt")
_TO_CYRILLIC = str.maketrans(
    "aeopcxykmthbi0346",
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u043a\u043c\u0442\u043d\u0432\u0456\u043e\u0437\u0447\u0431",
)
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_NATIVE_WORD = re.compile("[a-z0-9]*[\u0430-\u04ff][a-z0-9\u0430-\u04ff]*")
_EMOJI = {
    "👙": "bikini",
    "🩱": "swimsuit",
    "🩲": "briefs",
    "🩳": "shorts",
    "🍑": "butt",
    "🍆": "penis",
    "🔞": "nsfw",
    "👗": "dress",
    "👚": "blouse",
    "👕": "shirt",
    "👖": "trousers",
    "🚫": "nope",
    "❌": "nope",
    "⛔": "nope",
    "✂": "cut off",
    "➡": "to",
    "👧": "girl",
    "👩": "woman",
    "👶": "baby",
}
_MARKS = {"Mn", "Me"}
_IGNORED = {"Cf", "Cc", "Sk", *_MARKS}
_LETTER_NAME = re.compile(
    r"(?:LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL |TURNED |SCRIPT |DOTLESS )?"
    r"|REGIONAL INDICATOR SYMBOL LETTER )([A-Z])(?: WITH .*)?$"
)
_UNWANTED = re.compile(
    r"(?:(?:(?<![a-z])neg(?:ative)? ?prompts?|(?:^|[.;|!?]) ?neg(?:ative)?)[\"'\u201d]? ?[:=]"
    r"|(?<![^ ])(?:--|[\u2014\u2013])no(?![a-z]))"
    r"(.*?)(?=(?<![a-z])positive(?![a-z])|(?<![^ ])(?:--|[\u2014\u2013])[a-z]|(?<![a-z])steps ?:|$)"
)
_UNWANTED_TERM = re.compile(r"[^ ,;|()\[\]{}<>:][^,;|()\[\]{}<>:]*")
_VARIATION = {"\ufe0e", "\ufe0f", "\u200d"}
WORD = re.compile(r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff\u0e31-\u0e3a\u0e47-\u0e4e])+")
"""A word: letters, digits and the vowel signs that Indic scripts and Thai write on them."""
_BARE_SCRIPTS = re.compile(r"[\u0370-\u06ff\u0900-\u09ff\u1f00-\u1fff]")
_VOWEL_SIGNS = re.compile(r"[\u0900-\u0902\u093e-\u094d\u0962\u0963\u0981-\u0983\u09be-\u09cd]")
_SAME_LETTERS = str.maketrans("أإآٱىیکةہھۀۂؤئےςڪیँ", "ااااييكهههههوييσكيं", "\u0640\u093c\u09bc")


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text: lower case, single spaces.

    Attributes:
        text: The reading.
        starts: For each letter of `text`, where its source begins in the text as sent.
        ends: For each letter of `text`, where its source ends.
        is_parted: Whether words that were run together are parted in it.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    is_parted: bool = False

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the text as sent that ``text[start:end]`` came from."""
        first, last = self.starts[start:end], self.ends[start:end]
        return min(first), max(last)


_Letter = tuple[str, int, int]


def plain_view(text: str) -> View:
    """Return the text in lower case, compatibility forms and accents resolved, spaces made single.

    Words of another script stay as they are; letters of another script inside a Latin word, and
    invisible characters, are resolved.
    """
    if text.isascii():
        return _view(_spaced((char.lower(), i, i + 1) for i, char in enumerate(text)))
    return _view(_spaced(_without_lookalikes(list(_resolved(text)), everywhere=False)))


def as_written(text: str) -> str:
    """Return the text in lower case with its accents, as its language writes it.

    Compatibility forms, signs with a meaning and spaces are resolved as in `plain_view`, invisible
    characters dropped; look-alikes are not resolved.
    """
    if text.isascii():
        return plain_view(text).text
    letters = unicodedata.normalize("NFC", text)
    return " ".join("".join(map(_resolve_written, letters)).replace("_", " ").split())


def folded(text: str) -> str:
    """Return a text as `plain_view` reads it."""
    if text.isascii() and text.isalnum():
        return text.lower()  # most words of most lexicons, and a hundred thousand of them
    return plain_view(text).text.strip()


def lookalike_view(text: str) -> View | None:
    """Return the text with look-alikes of Latin letters resolved in every word; None if none."""
    letters = list(_resolved(text))
    if all(char.isascii() for char, _, _ in letters):
        return None
    return _view(_spaced(_without_lookalikes(letters, everywhere=True)))


def native_view(text: str) -> View | None:
    """Return the text with Latin letters and digits inside Cyrillic words read as Cyrillic ones."""
    if not _CYRILLIC.search(text):
        return None
    letters = list(_resolved(text))
    changed = _NATIVE_WORD.sub(
        lambda match: match[0].translate(_TO_CYRILLIC), "".join(char for char, _, _ in letters)
    )
    return _view(
        _spaced((char, start, end) for char, (_, start, end) in zip(changed, letters, strict=True))
    )


def leet_views(view: View) -> Iterator[View]:
    """Give readings with digits and signs inside words taken for letters (``n4k3d``)."""
    for table in (_LEET, _LEET_L):
        changed = _LEET_WORD.sub(lambda match, t=table: _leet(match[0], t), view.text)  # type: ignore[misc]  # the default binds the loop's table
        if changed != view.text:
            yield View(changed, view.starts, view.ends)


def stretched_views(view: View) -> Iterator[View]:
    """Give readings with letters that are repeated thrice or more cut to one, and to two."""
    if not _STRETCH.search(view.text):
        return
    for kept in (1, 2):
        letters: list[_Letter] = []
        at = 0
        for run in _STRETCH.finditer(view.text):
            letters += _slice(view, at, run.start() + kept)
            at = run.end()
        yield _view([*letters, *_slice(view, at, len(view.text))])


def unwanted_view(view: View) -> View | None:
    """Say of each term of a negative prompt within the words that it is not wanted.

    ``her portrait --no dress, bra`` and ``negative prompt: (dress:1.3), bra`` ask for what "without
    dress; without bra" asks for. Generators take such prompts in a field of their own, and people
    write them into the other; it ends where the next part begins.
    """
    terms = [
        found.span()
        for section in _UNWANTED.finditer(view.text)
        for found in _UNWANTED_TERM.finditer(view.text, section.start(1), section.end(1))
    ]
    if not terms:
        return None
    letters: list[_Letter] = []
    at = 0
    for start, end in terms:
        source = (view.starts[start], view.ends[start])
        letters += _slice(view, at, start)
        letters += [(char, *source) for char in "; without "]
        letters += _slice(view, start, end)
        at = end
    return _view([*letters, *_slice(view, at, len(view.text))])


class WordsInPieces(Protocol):
    """Words that may have been taken apart."""

    def is_word(self, spelt: str) -> bool:
        """Whether letters spell one of them."""

    def may_begin(self, spelt: str) -> bool:
        """Whether one of them begins with some letters."""


def may_be_parted(text: str) -> bool:
    """Whether single letters or scraps stand so close that they may have been one word."""
    return bool(_PARTED.search(text))


def joined_view(view: View, words: WordsInPieces, is_word: Callable[[str], bool]) -> View | None:
    """Put words together that were taken apart (``b i k i n i``, ``n.u.d.e``, ``un dress``).

    Args:
        view: A reading.
        words: What to look for. Only a run of whole pieces that spells one of these is joined.
        is_word: Whether a piece is a word of its own. If all are ("pen is"), they stay apart.
    """
    pieces = list(_PIECE.finditer(view.text))
    letters: list[_Letter] = []
    at = i = 0
    while i < len(pieces):
        j = i + _end_of_word(view.text, pieces[i : i + _MAX_TOKENS_OF_A_WORD], words, is_word)
        if j > i + 1:
            first, last = pieces[i].start(), pieces[j - 1].end()
            letters += _slice(view, at, first)
            letters += [
                letter
                for piece in pieces[i:j]
                for letter in _slice(view, piece.start(), piece.end())
            ]
            at = last
        i = max(j, i + 1)
    if not at:
        return None
    return _view([*letters, *_slice(view, at, len(view.text))])


def single_letters_view(view: View) -> View | None:
    """Put runs of single letters together; a wider gap, or a sign of its own, parts the words."""
    runs = list(_SINGLES.finditer(view.text))
    if not runs:
        return None
    letters: list[_Letter] = []
    at = 0
    for run in runs:
        letters += _slice(view, at, run.start())
        letters += _run_together(view, run.start(), run.end())
        at = run.end()
    return _view([*letters, *_slice(view, at, len(view.text))])


def _run_together(view: View, start: int, end: int) -> Iterator[_Letter]:
    """Give the letters of a run; where the gap in the text as sent is wider than elsewhere, a space."""
    letters = [
        letter for letter in _slice(view, start, end) if letter[0].isalnum() or letter[0] in _SIGNS
    ]
    gaps = [right[1] - left[2] for left, right in pairwise(letters)]
    usual = min(
        gap for gap, letter in zip(gaps, letters[1:], strict=True) if letter[0] not in _SIGNS
    )
    for i, letter in enumerate(letters):
        if i and gaps[i - 1] > usual and letter[0] not in _SIGNS:
            yield " ", letters[i - 1][2], letter[1]
        yield letter


def reversed_view(view: View) -> View:
    """Return the text read backwards."""
    return View(view.text[::-1], view.starts[::-1], view.ends[::-1])


def parted_view(view: View, places: Iterable[int]) -> View:
    """Return the text with words that were run together parted: a space wherever there is none yet."""
    letters: list[_Letter] = []
    at = 0
    for place in places:
        if 0 < place < len(view.text) and " " not in view.text[place - 1 : place + 1]:
            letters += [*_slice(view, at, place), (" ", view.starts[place], view.starts[place])]
            at = place
    parted = _view([*letters, *_slice(view, at, len(view.text))])
    return replace(parted, is_parted=True)


def rot13_view(view: View) -> View:
    """Return the text with each letter moved by thirteen places."""
    return View(codecs.encode(view.text, "rot13"), view.starts, view.ends)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a text that was written in a code. `decoded` is None when it cannot be undone."""

    start: int
    end: int
    decoded: str | None


def coded_chunks(text: str) -> Iterator[Chunk]:
    """Find HTML entities, URL escapes, base64, hexadecimal, and letters as numbers."""
    if "&" in text and (decoded := html.unescape(text)) != text:
        yield Chunk(0, len(text), decoded)
    if "%" in text and (decoded := urllib.parse.unquote(text)) != text:
        yield Chunk(0, len(text), decoded)
    if "\\" in text and (decoded := _ESCAPE.sub(_unescape, text)) != text:
        yield Chunk(0, len(text), decoded)
    for match in _HEX.finditer(text):
        digits = re.sub(r"[^0-9a-fA-F]", "", re.sub(r"0x|\\x", "", match[0]))
        if len(digits) >= _MIN_HEX_LETTERS and len(digits) % 2 == 0:
            decoded_hex = _as_text(bytes.fromhex(digits))
            if decoded_hex is not None:
                yield Chunk(match.start(), match.end(), decoded_hex)
    for match in _BINARY.finditer(text):
        octets = match[0].split()
        decoded_bits = _as_text(bytes(int(octet, 2) for octet in octets))
        if decoded_bits is not None:
            yield Chunk(match.start(), match.end(), decoded_bits)
    yield from _base64_chunks(text)


def _base64_chunks(text: str) -> Iterator[Chunk]:
    for match in _BASE64.finditer(text):
        code = match[0]
        if len(code) < _MIN_CODE_LETTERS or _is_address(text, match.start()):
            continue
        padded = code.rstrip("=") + "=" * (-len(code.rstrip("=")) % 4)
        try:
            data = base64.b64decode(padded, altchars=b"-_" if re.search("[-_]", code) else None)
        except (binascii.Error, ValueError):
            data = b""
        decoded = _as_text(data)
        if decoded is not None:
            yield Chunk(match.start(), match.end(), decoded)
        elif _looks_coded(code):
            yield Chunk(match.start(), match.end(), None)


def _is_address(text: str, start: int) -> bool:
    """Whether the word that a match stands in is a web address: its parts are not sentences."""
    word = re.split(r"\s", text[:start])[-1]
    return "://" in word or word.startswith("www.")


_LEET_WORD = re.compile(r"(?<![a-z0134578@$!|€£+])[a-z0134578@$!|€£+]{3,}")
_STRETCH = re.compile(r"([^\W\d_])\1{2,}")
_PIECE = re.compile(r"(?:[^\W\d_]|['\u0900-\u0963\u0966-\u0dff])+")
# Signs that Indic scripts and Thai write on a letter: they part no word, and are no letter of their own.
_SIGNS = "".join(chr(i) for i in range(0x900, 0xE50) if unicodedata.category(chr(i))[0] == "M")
_PARTED = re.compile(
    rf"(?<![\w{_SIGNS}])[\w{_SIGNS}]{{1,4}}(?:[^\w{_SIGNS}]|_){{1,2}}\w|[\w{_SIGNS}][-.*_+~'][\w]"
)
_SINGLES = re.compile(
    rf"(?<![\w{_SIGNS}'])[^\W\d_][{_SIGNS}]*"
    rf"(?:(?:[^\w{_SIGNS}]|_){{1,2}}[^\W\d_][{_SIGNS}]*(?![\w{_SIGNS}'])){{3,}}"
)
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:]?){4,}")
_BINARY = re.compile(r"\b[01]{8}(?:\s[01]{8}){2,}\b")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}={0,2}(?![A-Za-z0-9+/_=-])")
_ESCAPE = re.compile(r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\x([0-9a-fA-F]{2})")
_LONG_CODE = 20
_KINDS_OF_A_CODE = 3


def _looks_coded(code: str) -> bool:
    """Whether a word is too long and too mixed to be one, and not a file name or a number."""
    kinds = sum(bool(re.search(kind, code)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[+/=]"))
    return len(code) >= _LONG_CODE and kinds >= _KINDS_OF_A_CODE and "-" not in code


def _as_text(data: bytes) -> str | None:
    """Return bytes as text if that is what they are: mostly letters and spaces, no controls."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    letters = sum(char.isalpha() or char.isspace() or char in "'.,!?-" for char in text)
    if len(text) < _MIN_WORD_FOR_SPACING or letters < _READABLE_SHARE * len(text):
        return None
    return text if text.isprintable() or not re.search(r"[^\x20-\x7e\s]", text) else None


def _unescape(match: re.Match[str]) -> str:
    value = int(match[1] or match[2], 16)
    is_character = value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF  # noqa: PLR2004 -- the bounds of Unicode
    return chr(value) if is_character else match[0]


def _leet(word: str, table: dict[int, int]) -> str:
    """Read a word as leet, leaving signs that end it alone (``nice!``)."""
    core = word.rstrip("!+|$")
    if core.isalpha() or core.isdigit() or _MEASURE.fullmatch(core):
        return word
    return core.translate(table) + word[len(core) :]


_MEASURE = re.compile(r"\d+(?:k|d|x|p|s|th|st|nd|rd|mm|cm|px|am|pm|ml|kg|m|g|y|yo|f|mp|fps|dpi)")


def _end_of_word(
    text: str,
    pieces: list[re.Match[str]],
    words: WordsInPieces,
    is_word: Callable[[str], bool],
) -> int:
    """Return how many pieces make up the longest word that they begin with; 0 if none."""
    spelt, found, end = "", 0, pieces[0].start()
    has_scrap = False
    for count, piece in enumerate(pieces, start=1):
        between = text[end : piece.start()]
        if len(between) > _WIDEST_GAP or (found and is_word(piece[0])):
            break
        spelt, end = spelt + piece[0], piece.end()
        if not words.may_begin(spelt):
            break
        has_scrap = has_scrap or bool(between.strip()) or not is_word(piece[0])
        if count > 1 and has_scrap and words.is_word(spelt):
            found = count
    return found


def _resolved(text: str) -> Iterator[_Letter]:
    """Give each character in compatibility form, lower case; marks on Latin letters are dropped."""
    last = ""
    for i, char in enumerate(text):
        if char.isascii():
            last = char.lower()
            yield last, i, i + 1
            continue
        for resolved in _resolve(char):
            category = unicodedata.category(resolved)
            is_ignored = category in _IGNORED and (category not in _MARKS or last.isascii())
            if is_ignored and not resolved.isspace():  # a control character may end a line
                continue
            last = resolved
            yield resolved, i, i + 1


@lru_cache(maxsize=4096)
def _resolve_written(char: str) -> str:
    if char.isascii():
        return char.lower()
    sign = _resolve_sign(char)
    if sign is not None:
        return sign
    if unicodedata.category(char) in _IGNORED - _MARKS and not char.isspace():
        return ""
    return unicodedata.normalize("NFKC", char).lower()


def _resolve_sign(char: str) -> str | None:
    """Return what a sign stands for; None if it is a letter or mark."""
    if char in _VARIATION:
        return ""
    if char in _EMOJI:
        return f" {_EMOJI[char]} "
    return "'" if char in "\u2018\u2019\u02bc\u201b\u2032" else None


@lru_cache(maxsize=4096)
def _resolve(char: str) -> str:
    sign = _resolve_sign(char)
    if sign is not None:
        return sign
    name = _LETTER_NAME.search(unicodedata.name(char, ""))
    if name:
        return name[1].lower()
    plain = unicodedata.normalize("NFKC", char).casefold()
    if _BARE_SCRIPTS.match(plain):
        return _without_marks(plain)
    parts = unicodedata.normalize("NFD", plain)
    return parts if parts[:1].isascii() else plain


def _without_marks(text: str) -> str:
    """Drop accents, points and tatweel, and write letters that are used for each other as one.

    Vowel signs of Indic scripts are letters, not accents.
    """
    kept = (
        char
        for char in unicodedata.normalize("NFD", text.translate(_SAME_LETTERS))
        if not unicodedata.combining(char) or _VOWEL_SIGNS.match(char)
    )
    return "".join(kept).translate(_SAME_LETTERS)


def _without_lookalikes(letters: list[_Letter], *, everywhere: bool) -> Iterator[_Letter]:
    """Resolve look-alikes in words that hold a Latin letter, or everywhere."""
    word: list[_Letter] = []
    for letter in [*letters, (" ", 0, 0)]:
        if letter[0].isalpha():
            word.append(letter)
            continue
        is_disguised = everywhere or any(char.isascii() for char, _, _ in word)
        for char, start, end in word:
            yield (char.translate(_LOOKALIKES) if is_disguised else char), start, end
        word = []
        if letter[2]:
            yield letter


def _spaced(letters: Iterable[_Letter]) -> Iterator[_Letter]:
    """Make every run of white space, and of underscores, one space."""
    last = ""
    for char, start, end in letters:
        if not char.isspace() and char != "_":
            last = char
            yield char, start, end
        elif last != " ":
            last = " "
            yield " ", start, end


def _slice(view: View, start: int, end: int) -> list[_Letter]:
    return [(view.text[i], view.starts[i], view.ends[i]) for i in range(start, end)]


def _view(letters: Iterable[_Letter]) -> View:
    found = list(letters)
    return View(
        "".join(char for char, _, _ in found),
        tuple(start for _, start, _ in found),
        tuple(end for _, _, end in found),
    )
