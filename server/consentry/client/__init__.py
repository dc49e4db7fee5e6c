"""For platforms that write Python: ask before you generate, and fail closed (docs/client.md).

question   what is asked
answers    what is answered
receipts   whether a receipt is genuine, and about what was asked
exchange   what is sent, when it is sent again, and what an answer must be like; no I/O
blocking   `ConsentryClient`
concurrent `AsyncConsentryClient`

Whatever goes wrong is raised (`consentry.kernel.errors`): there is no answer that allows by mistake.
"""

from consentry.client.answers import (
    BatchResult,
    Change,
    ChangeKind,
    Changes,
    CheckAnswer,
    ConsentState,
    ConsentStatus,
)
from consentry.client.blocking import ConsentryClient
from consentry.client.concurrent import AsyncConsentryClient
from consentry.client.exchange import Retries
from consentry.client.question import Question, Role, Turn
from consentry.client.receipts import KeySet, Salts

__all__ = [
    "AsyncConsentryClient",
    "BatchResult",
    "Change",
    "ChangeKind",
    "Changes",
    "CheckAnswer",
    "ConsentState",
    "ConsentStatus",
    "ConsentryClient",
    "KeySet",
    "Question",
    "Retries",
    "Role",
    "Salts",
    "Turn",
]
