"""What must not be recorded, and what must be left alone."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.secrets import find_secret, looks_secret, mask, mask_arguments, mask_tree
from exptrack.model.settings import SECRET_PATTERNS

# Put together here, so that no scanner takes this file for a leak.
GITHUB = "ghp_" + "aB3" * 12
AWS_ID = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
KEY = "PRIVATE KEY"
BEGIN = f"-----BEGIN RSA {KEY}-----"
PEM = f"{BEGIN}\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7\nbase64+/==\n-----END RSA {KEY}-----"


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", "conf/.ENV", "a/b/server.pem", "x.KEY", "id_rsa", "home/id_ed25519.pub", "Credentials.json", "secrets.yaml",
     "a/.netrc", "kaggle.json", "service-account-1.json", "a\nb/.env"],
)  # fmt: skip
def test_a_file_looks_secret_by_its_name(path):
    assert looks_secret(path, SECRET_PATTERNS)


@pytest.mark.parametrize(
    "path",
    ["train.py", ".env.example", "x/.env.sample", "environment.yml", "keyboard.py", "model.keys", "my_credentials.py", ".env/readme",
     "pem", "secrets/readme.md", "id_rsa/x"],
)  # fmt: skip
def test_other_files_do_not(path):
    assert not looks_secret(path, SECRET_PATTERNS)


def test_a_pattern_with_a_slash_is_for_the_path():
    assert looks_secret("conf/private/a.txt", ["conf/private/*"])
    assert looks_secret("conf/private/b/a.txt", ["conf/private/*"])
    assert not looks_secret("x/conf/private/a.txt", ["conf/private/*"])
    assert looks_secret("a.txt", ["/a.txt"])
    assert not looks_secret("b/a.txt", ["/a.txt"])
    assert looks_secret("x/vault/y/z", ["vault/"])
    assert looks_secret("vault/z", ["vault/"])
    assert not looks_secret("vault", ["vault/"])


def test_an_exception_wins_wherever_it_stands():
    for patterns in (["!public.key", "*.key"], ["*.key", "!public.key"]):
        assert not looks_secret("a/Public.key", patterns)
        assert looks_secret("a/other.key", patterns)


def test_without_patterns_nothing_looks_secret():
    assert not looks_secret(".env", [])
    assert not looks_secret(".env", ["!.env"])
    assert not looks_secret("", SECRET_PATTERNS)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("clone https://ada:pw@host/x.git", "clone https://***@host/x.git"),
        ("postgresql://u:p@ss:w@db:5432/x", "postgresql://***@db:5432/x"),
        ("redis://:pw@h", "redis://***@h"),
        (f"https://{'a1' * 20}@h/x", "https://***@h/x"),
        ("GET /x?a=1&token=abc&b=2", "GET /x?a=1&token=***&b=2"),
        ("https://h/x?key=abc#frag", "https://h/x?key=***#frag"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Credential=AK%2F1&X-Amz-Signature=ab12&v=1",
         "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***&v=1"),
        ("https://h/b?sv=1&sig=a%2Fb", "https://h/b?sv=1&sig=***"),
        (f"using {AWS_ID}.", "using ***."),
        (f"aws_secret_access_key={AWS_SECRET}", "aws_secret_access_key=***"),
        (f"aws_secret_access_key = {AWS_SECRET}\nregion = x", "aws_secret_access_key = ***\nregion = x"),
        (f"remote: {GITHUB}!", "remote: ***!"),
        ("github_pat_" + "a1_" * 20, "***"),
        ("glpat-" + "xY3-" * 5, "***"),
        (f"a\\n{GITHUB}\\n{JWT}", "a\\n***\\n***"),
        ("xoxb-" + "123456789012-abc", "***"),
        ("sk-" + "proj-" + "a1B2" * 8, "***"),
        ("sk-" + "ant-api03-" + "a1_-" * 8, "***"),
        ("key sk-" + "a1B2" * 12 + ", ok", "key ***, ok"),
        ("hf_" + "aBcDe" * 7, "***"),
        ("AIza" + "Sy-_a" * 7, "***"),
        ("ya29." + "a0Af_-" * 5, "***"),
        ("npm_" + "a1" * 18, "***"),
        ("pypi-AgE" + "IcHlwaS5vcmc" * 2, "***"),
        (f"cookie {JWT}; path", "cookie ***; path"),
        ("Authorization: Bearer x", "Authorization: Bearer ***"),
        ("{'authorization': 'Basic YWRhOnB3'}", "{'authorization': 'Basic ***'}"),
        ("curl -H 'Authorization: token abc'", "curl -H 'Authorization: token ***'"),
        ("Bearer abcdefgh12345678", "Bearer ***"),
        (f"a\n{PEM}\nb", "a\n***\nb"),
        (PEM.replace("\n", "\\n"), "***"),
        (f"{BEGIN}\n{'MIIEpAIBAAKCAQEA7' * 3}\ncut off: 1", "***\ncut off: 1"),
        ("WANDB_API_KEY=" + "0123456789abcdef" * 2 + "01234567", "WANDB_API_KEY=***"),
        ("password=hunter2", "password=***"),
        ("DB_PASSWORD: 'it''s'", "DB_PASSWORD: '***''s'"),
        ("password: \"it's a secret\", next", 'password: "***", next'),
        ('{"password": "a \\"b\\" c", "lr": 1}', '{"password": "***", "lr": 1}'),
        ('"{\\"api_key\\": \\"abc\\"}"', '"{\\"api_key\\": \\"***\\"}"'),
        ('password="not closed', 'password="*** closed'),
        ("Namespace(api_key='abc', lr=0.1)", "Namespace(api_key='***', lr=0.1)"),
        ("apiKey: abc", "apiKey: ***"),
        ("token: hunter2", "token: ***"),
        ("token=a1b2c3d4", "token=***"),
        ("auth_token=abcdef", "auth_token=***"),
        ("client-secret=abc", "client-secret=***"),
        ("secret=abc;x=1", "secret=***;x=1"),
        ("private_key => abc", "private_key => ***"),
        ("x.secret:abc", "x.secret:***"),
        ("AccountKey=abc+/==", "AccountKey=***"),
        ("credentials: ada:pw", "credentials: ***"),
    ],
)  # fmt: skip
def test_a_credential_is_masked(text, masked):
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "commit 3f786850e387550fdab836ed7e6dc881de23001b", "sha256:" + "ab12" * 16, "token_embedding=128", "max_tokens=4096", "tokenizer: bpe",
        "tokens/s: 1234.5", "sk-learn", "pip install sk-learn-contrib-and-its-many-friends", "/home/ada/.config/token/key.txt",
        "eos_token=</s> pad_token: '[PAD]' unk_token=<unk>", "eos_token=endoftext", "next token: hello", "loss per token: 2.31",
        "token: 128", "token: the", "bos_token_id=1", "key=value", "keys: 5", "monkey: 3", "PWD=/home/ada", "OLDPWD=/home/ada",
        "password: ", "password:\nnext", "password == other", "the password is right", "password=None", "token=null", "api_key: ${API_KEY}",
        "password=$PASSWORD", "token='***'", "password: str", "secret: true", "sort key: 5", "key: accuracy", "primary_key=id",
        "GOOGLE_APPLICATION_CREDENTIALS=/etc/gcp.json", "ssh_key=~/.ssh/id", "https://host:8080/x@y", "http://h/a?b=c&d=e", "ssh://git@h/x",
        "git@github.com:a/b.git", "mail ada@example.com", "task-0123456789abcdef0123456789", "disk-0123456789abcdef0123456789",
        "hf_hub_download_of_a_model_file", "ghp_short", "AKIASHORT", "eyJ", "Bearer of bad news", "-----BEGIN CERTIFICATE-----\nabc",
        "epoch 3: loss=0.5 lr=1e-5 acc=0.93", "", "***", "a=b=c", "é: ü", "passwordless login: on", "secretary: Ada", "tokenize=True",
    ],
)  # fmt: skip
def test_ordinary_text_is_left_alone(text):
    assert mask(text) == text


TEXTS = st.lists(
    st.sampled_from(
        ["password", "token", "api_key", "secret", "=", ": ", '"', "'", "\\", "***", "abc1", " ", "\n", "://", "@", "u:p", "?key=", "&sig=",
         PEM, "eyJa", f"-----BEGIN {KEY}-----", "Bearer ", "Authorization: ", ",", "{", "}"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(st.text() | TEXTS)
def test_text_without_a_trace_of_a_credential_is_left_alone(text):
    plain = text.translate(dict.fromkeys(map(ord, "=:@eEsSkKpPaAgGtTxXhHnNbBcCdDrRyY"), "-"))
    assert mask(plain) == plain


@given(TEXTS, TEXTS)
def test_no_token_survives(before, after):
    masked = mask(f"{before} {GITHUB} {JWT} {after}")
    assert GITHUB not in masked
    assert JWT not in masked


@pytest.mark.parametrize(
    "piece",
    ["eyJ", "eyJa.", "eyJaaaaaa.", "a", "A", " ", "=", "password", "password=", 'password="', 'password=\\"', "key='key=\"", "://", "://a:", ":", "@",
     "://a:@", f"-----BEGIN {KEY}-----", f"-----BEGIN {KEY}-----\n-", "-", "Bearer ", "authorization: ", "?key", "&key=", "sk-",
     "sk-ant-", "xoxb-", "ghp_", "SG.", "SG.aaaaaaaaaaaaaaaaaaa", "AKIA", "hf_", "\\", '\\"', "\n", "_", "a_", "token: a", "pass", "key id"],
)  # fmt: skip
def test_hostile_text_takes_no_more_than_linear_time(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        started = time.perf_counter()
        mask(text)
        return time.perf_counter() - started

    small = min(seconds(32 * 1024) for _ in range(3))
    # 8 times the text takes about 8 times as long; quadratic would be 64.
    assert any(seconds(256 * 1024) < 32 * small + 0.05 for _ in range(5))


def test_a_long_log_is_masked_piece_by_piece():
    chance = random.Random(1)
    lines = [
        f"epoch {index} loss={chance.random()} token: {index} key={chance.getrandbits(160):040x}"
        for index in range(3000)
    ]
    lines[1500] = f"login with {GITHUB}"
    masked = mask("\n".join(lines)).split("\n")
    assert [index for index, line in enumerate(masked) if line != lines[index]] == [1500]


@pytest.mark.parametrize(
    ("argv", "masked"),
    [
        (["train", "--password", "x", "--lr", "1"], ("train", "--password", "***", "--lr", "1")),
        (["--api-key=X", "db.password=y", "+token=abc"], ("--api-key=***", "db.password=***", "+token=***")),
        (["--token", "--verbose"], ("--token", "--verbose")),
        (["--token"], ("--token",)),
        (["--token", "-abc"], ("--token", "***")),
        (["--pad-token", "<pad>", "--max-tokens", "5", "--tokenizer", "bpe"], ("--pad-token", "<pad>", "--max-tokens", "5", "--tokenizer", "bpe")),
        (["-p", "5", "-token", "x"], ("-p", "5", "-token", "x")),
        (["-c", f"login('{GITHUB}')"], ("-c", "login('***')")),
        (["env", "WANDB_API_KEY=abc", "LR=1"], ("env", "WANDB_API_KEY=***", "LR=1")),
        (["curl", "-H", "Authorization: Bearer x", "https://a:b@h"], ("curl", "-H", "Authorization: Bearer ***", "https://***@h")),
        ([], ()),
    ],
)  # fmt: skip
def test_arguments_are_masked(argv, masked):
    assert mask_arguments(argv) == masked
    assert mask_arguments(masked) == masked


def test_parameters_are_masked_by_name_and_by_shape():
    tree = {
        "lr": 0.1, "password": "x", "db": {"passwd": "y", "user": "ada", "url": "https://a:b@h"}, "token": "abc", "hf_token": "abc",
        "apiKey": "k", "api-key": "k", "aws": {"access_key": "k", "secret_access_key": "k"}, "private_key": "p", "password_hash": 5,
        "max_tokens": 5, "tokenizer": "bpe", "num_tokens": "many", "token_count": "3", "eos_token": "</s>", "pad_token": "[PAD]",
        "empty": {"password": "", "token": None, "secret": "  "}, "notes": [f"see {GITHUB}", {"secret": "s"}, 3], "pin": {"password": 1234},
        "credentials": {"user": "ada", "parts": ["x"], "file": "/etc/x.json", "n": 1}, "key": "accuracy", "keys": ["a"], "secret": True,
        "tokens": ["a", "b"], "passphrase": ["a", "b"],
    }  # fmt: skip
    assert mask_tree(tree) == {
        "lr": 0.1, "password": "***", "db": {"passwd": "***", "user": "ada", "url": "https://***@h"}, "token": "***", "hf_token": "***",
        "apiKey": "***", "api-key": "***", "aws": {"access_key": "***", "secret_access_key": "***"}, "private_key": "***", "password_hash": 5,
        "max_tokens": 5, "tokenizer": "bpe", "num_tokens": "many", "token_count": "3", "eos_token": "</s>", "pad_token": "[PAD]",
        "empty": {"password": "", "token": None, "secret": "  "}, "notes": ["see ***", {"secret": "***"}, 3], "pin": {"password": "***"},
        "credentials": {"user": "***", "parts": ["***"], "file": "/etc/x.json", "n": 1}, "key": "accuracy", "keys": ["a"], "secret": True,
        "tokens": ["a", "b"], "passphrase": ["***", "***"],
    }  # fmt: skip
    assert mask_tree(mask_tree(tree)) == mask_tree(tree)


@given(
    st.dictionaries(
        st.text(max_size=3), st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(), max_size=4
    )
)
def test_parameters_without_text_are_left_alone(tree):
    assert mask_tree(tree) == tree


def test_many_paths_are_judged_as_each_is():
    paths = [
        "a.py",
        ".env",
        "deep/.env.example",
        "deep/id_rsa",
        "KEYS/Server.PEM",
        "credentials/x.txt",
        "new\nline.key",
    ]
    for patterns in (SECRET_PATTERNS, ("credentials/", "*.key"), ("deep/*", "!*.example"), ()):
        assert find_secret(paths, patterns) == [path for path in paths if looks_secret(path, patterns)]
