"""Secrets inside text: query strings, bodies, reprs, messages, source lines."""

from __future__ import annotations

import pytest

from daytwo_server.errors.scrub import scrub


def scrubbed(text, where="extra"):
    return scrub({where: {"text": text}})[0][where]["text"]


def source(line):
    event, _ = scrub({"stacktrace": {"frames": [{"context_line": line, "pre_context": [line], "post_context": []}]}})
    frame = event["stacktrace"]["frames"][0]
    assert frame["pre_context"] == [frame["context_line"]]
    return frame["context_line"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a=b&token=x1", "a=b&token=[Filtered]"),
        ("card%5Bnumber%5D=4242&password=a,b;c", "card%5Bnumber%5D=[Filtered]&password=[Filtered]"),
        ("https://example.com/p?a=1&access_token=abc#top", "https://example.com/p?a=1&access_token=[Filtered]"),
        ("/login?next=%2Fpay%3Ftoken%3Dabc%26a%3D1", "/login?next=%2Fpay%3Ftoken%3D[Filtered]%26a%3D1"),
        ("GET /p?token=abc HTTP/1.1", "GET /p?token=[Filtered] HTTP/1.1"),
        ("<WSGIRequest: POST '/boom/?a=1&token=secret'>", "<WSGIRequest: POST '/boom/?a=1&token=[Filtered]'>"),
        ("{'password': 'hunter2', 'n': 1}", "{'password': '[Filtered]', 'n': 1}"),
        ("User(id=3, password='it\\'s', name='x')", "User(id=3, password='[Filtered]', name='x')"),
        ("{'card': {'number': '4242', 'exp': '1/30'}, 'n': 1}", "{'card': [Filtered], 'n': 1}"),
        ("Config(token=SecretStr('abc'), debug=True)", "Config(token=[Filtered], debug=True)"),
        ("[(b'authorization', b'Bearer abc'), (b'a', b'x')]", "[(b'authorization', b'[Filtered]'), (b'a', b'x')]"),
        ('{\\"password\\": \\"hun\\", \\"a\\": 1}', '{\\"password\\": \\"[Filtered]\\", \\"a\\": 1}'),
        ("{'password': 'cut off in the mid…", "{'password': '[Filtered]"),
        ("login failed: password=hunter2, user=jane", "login failed: password=[Filtered], user=jane"),
        ("Authorization: Bearer abc def\nHost: x", "Authorization: [Filtered]\nHost: x"),
        ("Cookie: a=b; c=d", "Cookie: [Filtered]"),
        ("host=db user=shop password=hunter2 port=5432", "host=db user=shop password=[Filtered] port=5432"),
        ("Server=db;UID=sa;PWD=hunter2;", "Server=db;UID=sa;PWD=[Filtered];"),
        ("<user><password>hunter2</password></user>", "<user><password>[Filtered]</password></user>"),
        (':password=>"hunter2", :id=>3', ':password=>"[Filtered]", :id=>3'),
        ("first\\ntoken=abc\\nlast", "first\\ntoken=[Filtered]"),
    ],
)  # fmt: skip
def test_the_value_goes_and_the_text_around_it_stays(text, clean):
    assert scrubbed(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Invalid token: must be a string",
        "Unexpected token < in JSON at position 0",
        "the password is wrong",
        "author=jane&keyboard=de",
        "Bearer token missing",
        "basic authentication is off",
        "session: None",
        "auth: user not found",
        "SELECT * FROM auth_user WHERE session_key = %s AND password = $1",
        "Access denied for user 'root'@'localhost' (using password: YES)",
        "std::token::next",
        "https://example.com:8080/token/x",
        "order 4111111111111112 failed",  # wrong check digit
        "trace 12345678901234567890",
        "1795410060636",  # milliseconds
        "0123456789abcdef0123456789abcdef@localhost",
        "['name', 'token', 'email']",
    ],
)
def test_prose_and_plain_numbers_are_left_alone(text):
    assert scrubbed(text) == text


def test_json_bodies_are_scrubbed_as_json():
    body = '{"user": "jane", "login": {"password": "a\\"b", "remember": true}, "card": {"number": "1"}}'
    event, hidden = scrub({"request": {"data": body}})
    assert event["request"]["data"] == (
        '{"user":"jane","login":{"password":"[Filtered]","remember":true},"card":{"number":"[Filtered]"}}'
    )
    assert hidden == 2


def test_json_without_secrets_keeps_its_spelling():
    body = '{ "user" : "jane" }'
    assert scrubbed(body) == body


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ('card = {"number": "4111111111111111", "password": "hunter2"}',
         'card = {"number": "[Filtered]", "password": "[Filtered]"}'),
        ("const secret = 'x';", "const secret = '[Filtered]';"),
        ('os.environ["SECRET_KEY"] = "abc"', 'os.environ["SECRET_KEY"] = "[Filtered]"'),
        ('def login(user, password: str = "hunter2"):', 'def login(user, password: str = "[Filtered]"):'),
        ('client.get("/p?token=abc")', 'client.get("/p?token=[Filtered]")'),
        ('if token == "abc":', 'if token == "[Filtered]":'),
        ('os.environ.get("API_KEY", "abc")', 'os.environ.get("API_KEY", "[Filtered]")'),
        ("token = request.GET.get(name)", "token = request.GET.get(name)"),
        ("password: string;", "password: string;"),
        ("return check_password(password, user.password)", "return check_password(password, user.password)"),
        ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "[Filtered]"),
    ],
)  # fmt: skip
def test_in_source_only_literals_are_secrets(line, clean):
    assert source(line) == clean


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAAA\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("secret", "left"),
    [
        ("4111111111111111", ""),
        ("4111 1111 1111 1111", ""),
        ("3782-822463-10005", ""),
        ("5555555555554444", ""),
        ("6011000990139424", ""),
        (KEY, ""),
        (KEY.replace("\n", "\\n"), ""),
        ("Bearer abc123", "Bearer "),
        ("Basic dXNlcjpwYXNz", "Basic "),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN", ""),
        ("AKIAIOSFODNN7EXAMPLE", ""),
        ("ghp_" + "a1B2" * 9, ""),
        ("github_pat_" + "a1B2_" * 6, ""),
        ("sk_live_" + "4eC39HqLyjW", ""),
        ("xoxb-123456789012-abcdef", ""),
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", "https://"),
        ("AIza" + "a" * 35, ""),
        ("glpat-" + "x" * 20, ""),
    ],
)
def test_secrets_are_known_by_their_shape_wherever_they_stand(secret, left):
    for around in ("{}", "see {} there", "'{}'", '["{}"]', "line\\n{}"):
        text = around.format(secret)
        assert scrubbed(text) == text.replace(secret, f"{left}[Filtered]")
        assert secret not in source(f"x = {text}")


def test_a_private_key_that_was_cut_off_goes_to_its_end():
    assert scrubbed(f"key is {KEY[:50]}") == "key is [Filtered]"


def test_a_password_in_an_address_goes_and_the_address_stays():
    assert scrubbed("redis://:hunter2@cache:6379/0") == "redis://:[Filtered]@cache:6379/0"
    assert scrubbed("to amqp://me:p@ss@mq/v failed") == "to amqp://me:[Filtered]@mq/v failed"


def test_a_card_number_that_is_a_number_is_filtered_and_an_id_is_not():
    event, hidden = scrub({"extra": {"a": 4111111111111111, "b": 4111111111111112, "c": 1795410060636, "d": 7}})
    assert (event["extra"], hidden) == ({"a": "[Filtered]", "b": 4111111111111112, "c": 1795410060636, "d": 7}, 1)


def test_a_secret_that_is_itself_a_key_is_filtered():
    event, _ = scrub({"extra": {"cache": {"ghp_" + "a1B2" * 9: {"hits": 3}}}})
    assert event["extra"]["cache"] == {"[Filtered]": {"hits": 3}}
