"""Saying yes, and taking it back: grants, consent tokens, session grants and consent requests.

grants    standing consent to everyday purposes: give, list, revoke
tokens    consent to one request, or to a studio session: issue, list, revoke
requests  being asked: see, approve, decline, block; and what the asker may learn
secrets   what the server alone knows of a token, sealed to her
permits   reading a token that was shown with a check
format    the token itself: claims, digests, signature
ports     what this room asks of others

Law 2 knows no grants: a revealing use is unlocked by a token that the subject herself began, and by
nothing else (docs/grants.md).
"""
