"""Can a platform tell from an answer, or from how long it takes, whether somebody is protected?

    python benchmarks/oracle.py DIR [--checks N] [--only face|name] [--json FILE]

``DIR`` holds labelled photos, ``faces-lfw-dev/NAME/*.jpg``, two or more of each person used. A real
companion (vault, SQLite, models, uvicorn) runs in a process of its own, in a home that is thrown
away; a platform with an API key asks it over HTTP, one question at a time.

    half of the people are enrolled, with a made-up name each; the others are not
    revealing questions about a photo, or a name alone, in random order
    then the halves change places, and again: each photo and each name is asked about both ways

So neither the photo, nor the name, nor the drift of the machine can tell the two apart; only being
enrolled can. For time, size and bytes of the answers: the area under the ROC curve (AUC) of a
guesser who goes by it, 0.5 for one who learns nothing, with its 95 % interval (DeLong). An AUC below
a half tells as much as one above, so the bound is that of the side that tells more.

Everyday questions are asked too. With "every edit of me" the verdict itself tells who is protected:
that is inherent, and she is told so when she chooses. With "intimate uses only" it must not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import numpy as np

BOUND = 0.55
PEOPLE = 24
BLOCKS = 4
PLATFORM = "studio.example"
PASSPHRASE = "a passphrase of the benchmark's own"
REVEALING = ("put her in a bikini", "remove her clothes", "show her topless", "in lingerie")
NAMED = ("put {} in a bikini", "{} in a bikini", "a nude picture of {}", "undress {}")
EVERYDAY = ("make the sky blue", "a warmer light", "turn it into a watercolour", "a red hat")
_START = ("Al", "Ber", "Cor", "Dan", "El", "Fre", "Gun", "Hil", "Ing", "Jor", "Kal", "Lin")
_END = ("dora", "mina", "rieke", "wina", "thea", "sella", "ronia", "vika")
_FAMILY = ("Ostlund", "Varnham", "Quellin", "Brandtner", "Issoire", "Tarkov", "Mellgren", "Dunsby")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be enrolled: a photo to enrol with, another to ask about, a made-up name."""

    enrolled_with: bytes = field(repr=False)
    asked_about: bytes = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One answer, as a guesser sees it."""

    kind: str
    is_enrolled: bool
    seconds: float
    body_bytes: int
    all_bytes: int
    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Auc:
    """How well a guesser tells the enrolled from the others by one feature."""

    value: float
    low: float
    high: float

    @property
    def bound(self) -> float:
        """The upper 95 % bound of the side that tells more."""
        return max(self.high, 1 - self.low)


def delong(enrolled: Sequence[float], others: Sequence[float]) -> Auc:
    """Return the AUC with its 95 % interval (DeLong, DeLong and Clarke-Pearson 1988)."""
    x, y = np.asarray(enrolled, float), np.asarray(others, float)
    below = np.searchsorted(np.sort(y), x, "left")
    upto = np.searchsorted(np.sort(y), x, "right")
    by_x = (below + upto) / 2 / len(y)
    below = np.searchsorted(np.sort(x), y, "left")
    upto = np.searchsorted(np.sort(x), y, "right")
    by_y = 1 - (below + upto) / 2 / len(x)
    value = float(by_x.mean())
    spread = 1.96 * float(np.sqrt(by_x.var(ddof=1) / len(x) + by_y.var(ddof=1) / len(y)))
    return Auc(value, max(0.0, value - spread), min(1.0, value + spread))


def people_in(folder: Path, count: int) -> list[Person]:
    """Return people with two photos each, and made-up names of one length after another.

    Raises:
        SystemExit: If the folder has too few.
    """
    choice = random.Random(20261122)
    names = [f"{a}{b} {c}" for a in _START for b in _END for c in _FAMILY]
    choice.shuffle(names)
    folders = [each for each in sorted(folder.iterdir()) if len(list(each.glob("*.jpg"))) > 1]
    if len(folders) < count:
        raise SystemExit(f"{folder} has {len(folders)} people with two photos; {count} are needed")
    return [
        Person(*(path.read_bytes() for path in sorted(each.glob("*.jpg"))[:2]), name=name)
        for each, name in zip(choice.sample(folders, count), names, strict=False)
    ]


# -- the server, in a process of its own ------------------------------------------------------------


def serve(home: str, people: Sequence[Person], line: Connection) -> None:
    """Run a companion; enrol and revoke as told. Ends when the other side closes the line."""
    import uvicorn
    from consentry.accounts.budgets import ProbeQuota
    from consentry.accounts.keys import MAX_FACES
    from consentry.accounts.principals import PLATFORM_SCOPES
    from consentry.settings import load_settings
    from consentry.vault.passphrase import Passphrase
    from consentry.wiring import open_home, tcp_app

    settings = load_settings(home=Path(home), port=0, engine_threads=1, worker_threads=2)
    with open_home(settings) as opened:
        services = opened.services
        services.custody.create(Passphrase(PASSPHRASE))
        quota = ProbeQuota(per_hour=MAX_FACES, per_day=MAX_FACES)
        _, secret = services.keys.issue(
            "oracle", PLATFORM, PLATFORM_SCOPES, quota=quota, expires_in_days=1
        )
        opened.warm_up()
        app = tcp_app(opened, 0)
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="error", access_log=False, lifespan="off")
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        line.send((server.servers[0].sockets[0].getsockname()[1], secret))
        try:
            while True:
                indices, policy = line.recv()
                line.send(_enrol_only(services, people, indices, policy))
        except EOFError:
            server.should_exit = True
            thread.join(10)


def _enrol_only(services, people, indices, policy) -> list[int]:  # type: ignore[no-untyped-def]  # noqa: ANN001 -- Services is imported in the child only
    """Enrol these people and nobody else; return who could be."""
    from consentry.enrolment.aliases import AliasKind, AliasProof
    from consentry.kernel.errors import EnrolmentError
    from consentry.kernel.taxonomy import SubjectPolicy

    for person in services.people.all():
        services.revoke(person.subject)
    done = []
    for index in indices:
        person = people[index]
        try:
            enrolled = services.enrol(
                [person.enrolled_with], name=f"person {index}", policy=SubjectPolicy(policy)
            )
        except EnrolmentError:
            continue
        services.aliases.add(enrolled.subject, person.name, AliasKind.NAME, AliasProof.OPERATOR)
        done.append(index)
    return done


# -- the platform ------------------------------------------------------------------------------------


class Platform:
    """Asks, and takes the time."""

    def __init__(self, port: int, secret: str) -> None:
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {secret}"},
            timeout=120,
            trust_env=False,
        )

    def ask(self, kind: str, is_enrolled: bool, prompt: str, photo: bytes | None) -> Observation:  # noqa: FBT001 -- a label
        """Send one question and note what came back."""
        files = {} if photo is None else {"images": ("x.jpg", photo, "image/jpeg")}
        fields = {"prompt": (None, prompt)}
        request = self._http.build_request("POST", "/v1/checks", files={**files, **fields})
        request.read()
        began = time.perf_counter()
        response = self._http.send(request)
        seconds = time.perf_counter() - began
        response.raise_for_status()
        body = response.json()
        headers = sum(len(name) + len(value) for name, value in response.headers.raw)
        return Observation(
            kind=kind,
            is_enrolled=is_enrolled,
            seconds=seconds,
            body_bytes=len(response.content),
            all_bytes=len(response.content) + headers,
            verdict=body["verdict"],
            reasons=tuple(body["reasons"]),
        )


def plan_of(checks: int, only: str | None) -> list[tuple[int, str, tuple[str, ...], int]]:
    """Return the blocks: which half is enrolled, under which choice, what is asked, how often each."""
    if only is not None:
        return [(block, "every_edit", (only,), checks // BLOCKS) for block in range(BLOCKS)]
    both = [
        (block, "every_edit", ("face", "name"), checks // BLOCKS // 2) for block in range(BLOCKS)
    ]
    # The last pair of blocks is the everyday one, under both choices that a subject has.
    every = [(block, "every_edit", ("everyday, every edit",), checks // 16) for block in range(2)]
    some = [
        (block, "intimate_and_impersonating", ("everyday, intimate only",), checks // 16)
        for block in range(2)
    ]
    return [*both, *every, *some]


def observe(people: Sequence[Person], checks: int, only: str | None) -> list[Observation]:
    """Run all blocks, and return every answer."""
    found: list[Observation] = []
    choice = random.Random(7)
    here, there = multiprocessing.get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory(prefix="consentry-oracle-") as home:
        child = multiprocessing.get_context("spawn").Process(
            target=serve, args=(home, people, there), daemon=True
        )
        child.start()
        there.close()
        port, secret = here.recv()
        platform = Platform(port, secret)
        for block, policy, kinds, share in plan_of(checks, only):
            wanted = [i for i in range(len(people)) if i % 2 == block % 2]
            here.send((wanted, policy))
            enrolled = set(here.recv())
            usable = [i for i in range(len(people)) if i % 2 != block % 2 or i in enrolled]
            asked = [(kind, i) for kind in kinds for i in _spread(usable, share, choice)]
            choice.shuffle(asked)
            for warm in range(8):
                platform.ask("warm-up", False, REVEALING[0], people[usable[warm]].asked_about)  # noqa: FBT003
            for kind, i in asked:
                found.append(_asked(platform, kind, people[i], i in enrolled, choice))
            _say(f"block of {', '.join(kinds)}: {len(asked)} asked, {len(enrolled)} enrolled")
        here.close()
        child.join(30)
    return found


def _spread(usable: Sequence[int], count: int, choice: random.Random) -> list[int]:
    """Return people, each as often as any other, as far as the count divides."""
    rounds = [choice.sample(usable, len(usable)) for _ in range(count // len(usable) + 1)]
    return [i for each in rounds for i in each][:count]


def _asked(
    platform: Platform,
    kind: str,
    person: Person,
    is_enrolled: bool,  # noqa: FBT001 -- a label
    choice: random.Random,
) -> Observation:
    if kind == "face":
        return platform.ask(kind, is_enrolled, choice.choice(REVEALING), person.asked_about)
    if kind == "name":
        return platform.ask(kind, is_enrolled, choice.choice(NAMED).format(person.name), None)
    return platform.ask(kind, is_enrolled, choice.choice(EVERYDAY), person.asked_about)


# -- what it shows -----------------------------------------------------------------------------------

FEATURES: dict[str, Callable[[Observation], float]] = {
    "time": lambda seen: seen.seconds,
    "size": lambda seen: seen.body_bytes,
    "bytes": lambda seen: seen.all_bytes,
}


def report(found: Sequence[Observation]) -> tuple[dict[str, dict[str, list[float]]], bool]:
    """Print the table; return the figures, and whether every bound that is promised holds."""
    figures: dict[str, dict[str, list[float]]] = {}
    is_held = True
    for kind in dict.fromkeys(seen.kind for seen in found):
        enrolled = [seen for seen in found if seen.kind == kind and seen.is_enrolled]
        others = [seen for seen in found if seen.kind == kind and not seen.is_enrolled]
        answers = [{(s.verdict, s.reasons) for s in group} for group in (enrolled, others)]
        is_inherent = kind == "everyday, every edit"
        _say(
            f"\n{kind}: {len(enrolled)} about the enrolled, {len(others)} about others; median "
            f"{_median_ms(enrolled):.1f} and {_median_ms(others):.1f} ms; answers "
            f"{'the same' if answers[0] == answers[1] else 'differ'}"
            f"{' (inherent: the verdict is what she asked for)' if is_inherent else ''}"
        )
        figures[kind] = {}
        for name, of in FEATURES.items():
            auc = delong([of(seen) for seen in enrolled], [of(seen) for seen in others])
            figures[kind][name] = [auc.value, auc.low, auc.high, auc.bound]
            holds = auc.bound <= BOUND
            is_held &= holds or is_inherent
            mark = "" if is_inherent else ("  ok" if holds else f"  ABOVE {BOUND}")
            _say(
                f"  {name:6s} AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}], "
                f"bound {auc.bound:.3f}{mark}"
            )
        if not is_inherent:
            is_held &= answers[0] == answers[1]
    return figures, is_held


def _median_ms(seen: Sequence[Observation]) -> float:
    return 1000 * statistics.median(each.seconds for each in seen)


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run, and say with the exit code whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="labelled photos")
    parser.add_argument("--checks", type=int, default=4000, help="revealing ones, in all")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--only", choices=("face", "name"), help="one kind alone")
    options = parser.parse_args()
    people = people_in(options.folder / "faces-lfw-dev", PEOPLE)
    found = observe(people, options.checks, options.only)
    figures, is_held = report(found)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
