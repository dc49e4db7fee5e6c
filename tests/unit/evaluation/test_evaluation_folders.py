from __future__ import annotations

from pathlib import Path

import pytest
from consentry.evaluation.folders import read_folder
from consentry.kernel.errors import BadRequest


def files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def test_a_folder_is_a_person(tmp_path):
    found = read_folder(files(tmp_path, "ada/1.jpg", "ada/2.PNG", "bea/1.webp"))

    assert [photo.subject for photo in found.photos] == ["ada", "ada", "bea"]
    assert found.subjects == 2


def test_a_folder_within_is_a_condition(tmp_path):
    found = read_folder(files(tmp_path, "1/frontal/1.jpg", "1/profile/1.jpg", "2/frontal/1.jpg"))

    assert [(p.subject, p.condition) for p in found.photos] == [
        ("1", "frontal"),
        ("1", "profile"),
        ("2", "frontal"),
    ]


def test_a_flat_folder_is_one_photo_a_person(tmp_path):
    assert read_folder(files(tmp_path, "a.jpg", "b.jpg", "c.jpg")).subjects == 3


def test_what_is_no_picture_by_its_name_is_passed_over(tmp_path):
    found = read_folder(
        files(
            tmp_path,
            "a/1.jpg",
            "b/1.jpg",
            "a/notes.txt",
            "a/.hidden.jpg",
            ".git/c/x.jpg",
            "SOURCE.txt",
        )
    )

    assert len(found.photos) == 2


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((), "no pictures"),
        (("readme.txt",), "no pictures"),
        (("ada/1.jpg", "ada/2.jpg"), "one person"),
        (("a/b/c/1.jpg", "d/1.jpg"), "too deep"),
    ],
    ids=["empty", "no pictures", "one identity", "too deep"],
)
def test_a_folder_that_gives_nothing_says_why(tmp_path, names, why):
    with pytest.raises(BadRequest, match=why):
        read_folder(files(tmp_path, *names))


def test_a_folder_that_is_not_there_says_so(tmp_path):
    with pytest.raises(BadRequest, match="no folder"):
        read_folder(tmp_path / "none")


def test_the_folders_own_pairs_are_read(tmp_path):
    files(tmp_path, "a/1.jpg", "a/2.jpg", "b/1.jpg")
    (tmp_path / "pairs.tsv").write_text(
        "file_a\tfile_b\tsame\na/1.jpg\ta/2.jpg\t1\na/1.jpg\tb/1.jpg\t0\n"
    )

    assert read_folder(tmp_path).pairs == ((0, 1, True), (0, 2, False))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a/1.jpg\tnone.jpg\t1\n", "Line 1"),
        ("a/1.jpg\ta/2.jpg\n", "Line 1"),
        ("a/1.jpg\ta/2.jpg\t1\na/1.jpg\tb/1.jpg\tmaybe\n", "Line 2"),
        ("a/1.jpg\tb/1.jpg\t1\n", "says otherwise"),
        (b"\xff\xfe", "cannot be read"),
    ],
    ids=["missing photo", "two columns", "no answer", "contradiction", "no text"],
)
def test_a_wrong_list_of_pairs_says_where(tmp_path, text, why):
    files(tmp_path / "data", "a/1.jpg", "a/2.jpg", "b/1.jpg")
    listed = tmp_path / "listed.tsv"
    listed.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(BadRequest, match=why):
        read_folder(tmp_path / "data", listed)


def test_no_name_of_a_person_is_shown_by_repr(tmp_path):
    found = read_folder(files(tmp_path, "ada-lovelace/1.jpg", "bea/1.jpg"))

    assert "ada" not in repr(found.photos[0])
