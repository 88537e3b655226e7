"""What credentials look like: shapes of tokens, and names whose values are secret."""

from __future__ import annotations

import re

MASK = "***"


def _shape(prefix: str, rest: str, inner: str = "A-Za-z0-9") -> str:
    # Not inside a word, but behind the letter of an escaped newline. What looks behind stands after the literal prefix, so that the
    # engine can jump from one prefix to the next.
    literal = re.escape(prefix)
    return rf"{literal}(?:(?<![{inner}]{literal})|(?<=\\[nrt]{literal})){rest}"


# A literal that must be in the text, and what is masked then. Each pattern takes time in proportion to the text alone: what repeats is
# bounded, possessive, or cannot meet itself. They are compiled (and kept by `re`) when first needed: together they take 6 ms.
TOKENS: tuple[tuple[str, str], ...] = (
    *((prefix, _shape(prefix, r"[A-Z0-9]{16}(?![A-Za-z0-9])")) for prefix in ("AKIA", "ASIA")),
    *((prefix, _shape(prefix, r"[A-Za-z0-9]{20,}")) for prefix in ("ghp_", "gho_", "ghs_", "ghr_", "ghu_", "hf_", "npm_", "dapi")),
    *((prefix, _shape(prefix, r"[A-Za-z0-9]{10,}")) for prefix in ("sk_live_", "sk_test_", "rk_live_", "rk_test_")),
    *((prefix, _shape(prefix, r"\w{20,}")) for prefix in ("github_pat_", "wandb_v1_", "dop_v1_")),
    *((prefix, _shape(prefix, r"[\w-]{16,}")) for prefix in ("glpat-", "gldt-", "glrt-", "glptt-", "AIza", "GOCSPX-", "pypi-AgE")),
    ("xox", _shape("xox", r"[a-z]-[\w-]{10,}")),
    ("xapp-", _shape("xapp-", r"[\w-]{10,}")),
    ("ya29.", _shape("ya29.", r"[\w.-]{10,}")),
    # A hyphen only after a known part: sk-learn-contrib-and-its-friends is no key.
    ("sk-", _shape("sk-", r"(?:(?:proj|svcacct|admin|ant|or|lf)-[\w-]{16,}|[A-Za-z0-9]{20,})")),
    ("SG.", _shape("SG.", r"[\w-]{16,64}\.[\w-]{16,}")),
    ("eyJ", _shape("eyJ", r"[\w-]{6,}+\.[\w-]{6,}+\.[\w-]*+", r"\w-")),
    (
        "PRIVATE KEY",
        (r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]++|-(?!----))*+-----END [^-\n]{0,40}-----|(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{16,}+)*+)"),
    ),
)  # fmt: skip

# The same, in lower case; the group `keep` stays in front of the mask, and the group `after` behind it.
PARTS: tuple[tuple[str, str], ...] = (
    ("://", r"""(?P<keep>://)(?:[^\s/?#@:"'<>]{0,256}:[^\s/?#"'<>]*|[^\s/?#@:"'<>]{16,})(?P<after>@)"""),
    (
        "=",
        (
            r"(?i)(?P<keep>[?&;](?:key|token|sig|signature|auth|password|secret|(?:access|auth|id|refresh)_token|api_?key|client_secret"
            r"|AWSAccessKeyId|X-(?:Amz|Goog)-[A-Za-z-]{1,40})=)[^\s&;#\"'<>]+(?P<after>)"
        ),
    ),
    (
        "authorization",
        (
            r"""(?i)(?P<keep>authorization\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?(?:(?:bearer|basic|token|digest|apikey)[ \t]{1,4})?)"""
            r"""[^\s"',\\]+(?P<after>)"""
        ),
    ),
    ("bearer", r"(?i)(?P<keep>\bbearer[ \t]{1,4})[\w.~+/=-]{16,}(?P<after>)"),
    ("hooks.slack.com", r"(?i)(?P<keep>hooks\.slack\.com/services/)[\w/-]+(?P<after>)"),
)

# The end of a name, a sign, and a value: which names are secret is decided by `is_secret`.
ASSIGNMENT_WORDS = ("pass", "pwd", "secret", "token", "key", "credential")
ASSIGNMENT = (
    r"""(?i)(?P<name>pass(?:word|wd|phrase)|pwd|secrets?|token|credentials?|key(?:[_-]?id)?)(?P<sign>\\?["']?[ \t]{0,4}(?:=>?|:=?)[ \t]{0,4})"""
    r"""(?:(?P<quote>\\?["'])(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\n\\]))*+)(?P=quote)"""
    r"""|(?P<open>\\?["']?)(?P<bare>[^\s"',;&)}\]\\=][^\s"',;&)}\]\\]*+))"""
)

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ALWAYS = (
    "password", "passwd", "passphrase", "secret", "secrets", "apikey", "secretkey", "accesskey", "privatekey", "authtoken", "accesstoken",
)  # fmt: skip
_KEYS = frozenset(
    {
        "access", "account", "api", "auth", "client", "deploy", "encryption", "master", "private", "secret", "service", "signing", "ssh",
        "storage",
    }
)  # fmt: skip
_TOKENS = frozenset(
    {
        "access", "api", "app", "auth", "bearer", "bot", "ci", "deploy", "gh", "github", "gitlab", "hf", "hub", "id", "job", "personal",
        "private", "refresh", "registry", "secret", "security", "session", "slack", "user", "wandb", "write",
    }
)  # fmt: skip
_HARMLESS = re.compile(
    r"none|null|nil|true|false|yes|no|str|int|bool|bytes|float|any|object|\*+|x{3,}|\.{3}|…|<.*>|\[\w*\]?|\$\{.*|\$\(.*|\$[A-Za-z_]\w*"
    r"|%\(?\w*\)?s?|\{\w*\}?|(?:required|redacted|hidden|masked|undefined|optional)",
    re.IGNORECASE | re.DOTALL,
)
_PATH = re.compile(
    r"(?:[~.]{0,2}/|[A-Za-z]:\\)[\w./\\ -]*|[\w.-]+/[\w./-]*\.\w+|[\w-]+\.(?:json|ya?ml|toml|pem|key|txt|ini|cfg|env)"
)
_TOKEN_LIKE = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.~+/=:-]+")


def is_secret(name: str, value: str, *, in_text: bool = False) -> bool:
    """Whether a value is a secret, going by the name that it stands under.

    Tokens are also what language models are made of: only `token` alone, or a token for access, is secret whatever its value (in free
    text it must look like one); `eos_token` is if its value is long and mixes letters and digits.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or not value.strip() or _HARMLESS.fullmatch(value):
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "id" and before == "key":
        last, before = before, words[-3] if len(words) > 2 else ""
    if last == "token":
        return _is_token(before, value, in_text=in_text)
    if last in {"credential", "credentials"} or (last == "key" and before in _KEYS):
        return not _PATH.fullmatch(value)
    return last.endswith(_ALWAYS) or (last == "pwd" and bool(before))


def _is_token(before: str, value: str, *, in_text: bool) -> bool:
    if before in _TOKENS:
        return True
    if not before and not in_text:
        return True
    return len(value) >= (16 if before else 6) and _TOKEN_LIKE.fullmatch(value) is not None
