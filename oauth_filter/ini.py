"""The ini file: text in, Settings out, or every fault of it at once, each with its line.

configparser of the standard library keeps no line numbers and stops at the first fault, so sections are read here.
What a section may say is read off `Settings`, `ClientSection` and `JWTIssuer`; there is no second list of options.
"""

import os
import re
import stat
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from typing import Final
from typing import get_args
from typing import get_type_hints
from urllib.parse import urlsplit

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.messages.redirect_uri import redirect_uri_fault
from oauth_filter.passwords import hash_secret
from oauth_filter.records import Client
from oauth_filter.records import ClientAuthentication
from oauth_filter.records import PKCEPolicy
from oauth_filter.scope import Scope
from oauth_filter.settings import DAY
from oauth_filter.settings import HOUR
from oauth_filter.settings import MINUTE
from oauth_filter.settings import PROFILES
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Rule
from oauth_filter.settings import Settings
from oauth_filter.settings import is_local
from oauth_filter.settings import option
from oauth_filter.settings import options

GRANT_TYPES: Final = {
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "client_credentials": "client_credentials",
    "jwt-bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer",
}
"""The grant types a client can list, by the name an ini file may use for short."""

FLAGS: Final = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
UNITS: Final = {"": 1, "s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
SECTIONS: Final = ("oauth_filter", "protect", "scopes", "client", "jwt_issuer")
MAX_FILE: Final = 1 << 20
"""What `file:path` reads at most, in bytes."""

_MANY_LINES: Final = ("public_key", "jwks")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSection:
    """What `[client:ID]` can say. The defaults are those of `records.Client`."""

    name: str = option("", "The name that the consent page shows.")
    secret: str | None = option(
        None, "The client's secret; without one it is a public client.", kind="secret", rfc="6749 2.3.1"
    )
    redirect_uris: tuple[str, ...] = option(
        (),
        "Where users may be sent back to, byte for byte; a loopback address with any port.",
        kind="list",
        rfc="6749 3.1.2",
    )
    grant_types: tuple[str, ...] = option(
        ("authorization_code", "refresh_token"),
        "What it may ask tokens with: authorization_code, refresh_token, client_credentials, jwt-bearer.",
        kind="list",
        rfc="6749 1.3",
    )
    scope: str | None = option(
        None, "The scopes it may ask for; without this line, all that are configured.", kind="list", rfc="6749 3.3"
    )
    auto_grant: bool = option(
        False, "Skip the consent page for every user: only for applications of your own.", kind="flag"
    )
    enabled: bool = option(True, "Whether it may do anything at all.", kind="flag")
    client_authentication: ClientAuthentication = option(
        "required",
        "Whether a client with a secret must send it to the token endpoint. A secret that is sent is always checked.",
        choices=get_args(ClientAuthentication),
        rfc="6749 3.2.1",
    )
    pkce: PKCEPolicy = option(
        "required_unless_client_authentication",
        "Whether it must use PKCE.",
        choices=get_args(PKCEPolicy),
        rfc="7636 4.4.1",
    )
    access_token_lifetime: int | None = option(
        None, "Lifetime of its access tokens; without this line, that of [oauth_filter].", kind="duration"
    )
    refresh_token_lifetime: int | None = option(
        None, "Lifetime of its refresh tokens; without this line, that of [oauth_filter].", kind="duration"
    )


def load(
    path: str | os.PathLike[str],
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in an ini file. Raise ConfigError with every fault, also when the file cannot be read."""
    file = os.fspath(path)
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError([Problem(file=file, message=f"cannot be read: {error.strerror}")]) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + content[: error.start].count(b"\n")
        raise ConfigError([Problem(file=file, line=line, message="is not UTF-8 text")]) from None
    return parse(text, file=file, here=Path(file).absolute().parent, environ=environ, overrides=overrides)


def parse(
    text: str,
    *,
    file: str,
    here: str | os.PathLike[str],
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in the text of an ini file. Raise ConfigError with every fault, never with a value.

    `file` names it in faults; `here` is the folder that `file:path` and `%(here)s` start from; `environ` answers
    `env:NAME`; `overrides` are options of `[oauth_filter]` that count more than those of the text.
    """
    return _Reading(file=file, here=Path(here), environ=environ).settings(text, overrides or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An option as written: `line` is where it starts, None where it came from elsewhere."""

    name: str
    text: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A section. A second one of the same name is a fault, and its entries are judged as part of the first."""

    name: str
    line: int | None
    entries: dict[str, _Entry] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`ID` of `[client:ID]`."""
        return self.name.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One file being read: what values may refer to, and the faults found so far."""

    file: str
    here: Path
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def fault(self, message: str, line: int | None = None, name: str | None = None) -> None:
        self.problems.append(Problem(message=message, option=name, file=self.file, line=line))

    def settings(self, text: str, overrides: Mapping[str, str]) -> Settings:
        sections = self.sections(text)
        main = sections.setdefault("oauth_filter", _Section(name="oauth_filter", line=None))
        main.entries.update({name: _Entry(name=name, text=value, line=None) for name, value in overrides.items()})
        values = self.values(Settings, main)
        values = {**PROFILES[values.get("profile", "default")], **values}
        values["scopes"] = self.scopes(sections.get("scopes"))
        is_open = not values["scopes"] or values.get("unknown_scope") == "allow"
        known = None if is_open else values["scopes"].keys()
        values["protect"] = self.rules(sections.get("protect"), known)
        allow_http = values.get("insecure_allow_http_issuer", False)
        of_kind = {kind: [s for s in sections.values() if s.name.startswith(f"{kind}:")] for kind in SECTIONS}
        values["clients"] = tuple(self.client(section, known, allow_http) for section in of_kind["client"])
        values["jwt_issuers"] = tuple(
            JWTIssuer(issuer=section.label, **self.values(JWTIssuer, section)) for section in of_kind["jwt_issuer"]
        )
        settings = None
        try:
            settings = Settings(**values)
        except ConfigError as error:
            self.place(error.problems, sections)
        if settings is None or self.problems:
            raise ConfigError(sorted(self.problems, key=lambda problem: problem.line or float("inf")))
        return settings

    def place(self, problems: Iterable[Problem], sections: Mapping[str, _Section]) -> None:
        """Take over the faults Settings found, unless the option is at fault already, each at its line."""
        blamed = {problem.option for problem in self.problems} | {
            section.name
            for section in sections.values()
            if any(problem.line in {entry.line for entry in section.entries.values()} for problem in self.problems)
        }
        blamed.discard("scopes")
        for problem in problems:
            if problem.option not in blamed:
                place = sections["oauth_filter"].entries.get(problem.option or "") or sections.get(problem.option or "")
                self.fault(problem.message, place.line if place else None, problem.option)

    # Lines

    def sections(self, text: str) -> dict[str, _Section]:
        """Every section with its entries, in order; text that is neither is a fault."""
        sections: dict[str, _Section] = {}
        section = None
        for number, line, is_header in _logical_lines(text):
            if is_header:
                section = self.section(line, number, sections)
            elif section is None:
                self.fault("text before the first [section]", number)
            else:
                self.entry(line, number, section)
        return {name: section for name, section in sections.items() if self.is_known_section(section)}

    def section(self, line: str, number: int, sections: dict[str, _Section]) -> _Section:
        if not line.endswith("]"):
            self.fault("a section is written [name], on a line of its own", number)
        name = line.removesuffix("]")[1:].strip()
        if name in sections:
            self.fault(f"section [{name}] stands in line {sections[name].line} already", number)
        return sections.setdefault(name, _Section(name=name, line=number))

    def is_known_section(self, section: _Section) -> bool:
        head, colon, label = section.name.partition(":")
        if head not in SECTIONS or bool(colon) != (head in ("client", "jwt_issuer")):
            known = [f"{name}:{label or 'NAME'}" if name in ("client", "jwt_issuer") else name for name in SECTIONS]
            self.fault(f"unknown section [{section.name}]{_did_you_mean(section.name, known)}", section.line)
            return False
        if head == "client" and not re.fullmatch(r"[\x20-\x7e]+", label):
            self.fault("a client id is printable ASCII: [client:ID] (RFC 6749 appendix A.1)", section.line)
        if head == "jwt_issuer" and not label:
            self.fault("name the `iss` of the assertions: [jwt_issuer:ISS]", section.line)
        return True

    def entry(self, line: str, number: int, section: _Section) -> None:
        name, equals, text = line.partition("=")
        name = name.strip()
        if not equals or not name:
            # What the line says is not repeated: it may be half a secret.
            self.fault("a line is 'option = value'; one that goes on with the value above is indented", number)
        elif name in section.entries:
            self.fault(f"'{name}' stands in line {section.entries[name].line} already", number)
        else:
            section.entries[name] = _Entry(name=name, text=text.strip(), line=number)

    # Values

    def values(self, of: type, section: _Section) -> dict[str, Any]:
        """What a section says of the options of a class; those at fault are left out."""
        known = {name: metadata for name, metadata, _ in options(of)}
        types = get_type_hints(of)
        values: dict[str, Any] = {}
        for entry in section.entries.values():
            if entry.name not in known:
                self.fault(f"unknown option '{entry.name}'{_did_you_mean(entry.name, known)}", entry.line)
                continue
            try:
                text = self.resolve(entry, known[entry.name]["kind"])
                choices = known[entry.name]["choices"] or get_args(types[entry.name])
                values[entry.name] = _value(entry.name, text, known[entry.name]["kind"], choices)
            except ValueError as error:
                self.fault(str(error), entry.line, entry.name)
        return values

    def resolve(self, entry: _Entry, kind: str) -> str:
        """The text a value stands for. Raise ValueError with a sentence for a person."""
        if entry.name == "scope":
            return entry.text  # `file:read` is a fine scope
        if strange := set(re.findall(r"%\(\w*\)s", entry.text)) - {"%(here)s"}:
            raise ValueError(f"{min(strange)} is not known, only %(here)s")
        text = entry.text.replace("%(here)s", str(self.here))
        if text.startswith("env:"):
            variable = text.removeprefix("env:")
            if not re.fullmatch(r"[A-Za-z_]\w*", variable):
                raise ValueError("after env: comes the name of an environment variable and nothing else")
            if not self.environ.get(variable):
                raise ValueError(f"the environment variable {variable} is not set")
            return self.environ[variable]
        if text.startswith("file:"):
            return _content(self.here / text.removeprefix("file:"), is_secret=kind == "secret")
        return text

    # Sections

    def scopes(self, section: _Section | None) -> dict[str, str]:
        scopes = {}
        for entry in section.entries.values() if section else ():
            try:
                Scope(entry.name)
            except ValueError:
                self.fault("a scope is printable ASCII without spaces, quotes and backslashes", entry.line)
            scopes[entry.name] = " ".join(entry.text.split()) or entry.name
        return {name: sentence for name, sentence in scopes.items() if _is_scope(name)}

    def rules(self, section: _Section | None, known: Iterable[str] | None) -> tuple[Rule, ...]:
        rules: dict[int | None, Rule] = {}
        for entry in section.entries.values() if section else ():
            try:
                rule = Rule.parse(entry.name, " ".join(_words(entry.text)))
                _check_scope(rule.scope, known)
            except ValueError as error:
                self.fault(str(error), entry.line, entry.name)
                continue
            if shadow := next((line for line, first in rules.items() if _covers(first, rule)), None):
                self.fault(f"is never reached: the rule in line {shadow} matches first", entry.line, entry.name)
            rules[entry.line] = rule
        return tuple(rules.values())

    def client(self, section: _Section, known: Iterable[str] | None, allow_http: bool) -> Client:
        values = self.values(ClientSection, section)
        lines = {name: entry.line for name, entry in section.entries.items()}
        secret = values.pop("secret", None)
        if secret is not None:
            try:
                values["secret_hash"] = hash_secret(secret)
            except ValueError as error:
                self.fault(str(error), lines["secret"], "secret")
        for uri in values.get("redirect_uris", ()):
            if fault := redirect_uri_fault(uri) or _http_fault(uri, allow_http):
                self.fault(fault, lines["redirect_uris"], "redirect_uris")
        if "scope" in values:
            try:
                values["scope"] = str(Scope(*values["scope"]))
                _check_scope(Scope.parse(values["scope"]), known)
            except ValueError as error:
                self.fault(str(error), lines["scope"], "scope")
        client = Client(key=section.label, client_id=section.label, **values)
        if "authorization_code" in client.grant_types and "redirect_uris" not in lines | values:
            self.fault("redirect_uris is missing: the authorization_code grant needs one", section.line, section.name)
        if "client_credentials" in client.grant_types and "secret" not in lines:
            message = "secret is missing: client_credentials is for confidential clients only (RFC 6749 section 4.4)"
            self.fault(message, section.line, section.name)
        return client


def _logical_lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Line number, text and whether it begins a section. Lines indented deeper go on with the one above."""
    number, start, depth, lines = 0, 0, 0, [""]
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        line = re.split(r"\s;", raw)[0].strip() if not raw.lstrip().startswith((";", "#")) else ""
        indent = len(raw) - len(raw.lstrip())
        if not line:
            continue
        if lines[0] and indent > depth and not lines[0].startswith("["):
            lines.append(line)
            continue
        if lines[0]:
            yield start, "\n".join(lines), lines[0].startswith("[")
        start, depth, lines = number, indent, [line]
    if lines[0]:
        yield start, "\n".join(lines), lines[0].startswith("[")


def _value(name: str, text: str, kind: str, choices: tuple[Any, ...]) -> Any:
    """The value of an option. Raise ValueError with a sentence that does not repeat it: it may be a secret."""
    match kind:
        case "flag":
            if text.lower() not in FLAGS:
                raise ValueError("say true or false")
            return FLAGS[text.lower()]
        case "duration":
            written = re.fullmatch(r"([0-9]{1,12})\s*([smhd]?)", text)
            seconds = int(written[1]) * UNITS[written[2]] if written else 0
            if not 0 < seconds <= 3650 * DAY:
                raise ValueError("use a duration such as 45s, 15m, 1h or 30d, from 1s to 3650d")
            return seconds
        case "number":
            if not re.fullmatch(r"[0-9]{1,12}", text):
                raise ValueError("use a whole number")
            return int(text)
        case "list":
            # A comma is a character of URIs.
            words = text.split() if name == "redirect_uris" else _words(text)
            return tuple(map(_grant_type, words)) if name == "grant_types" else tuple(dict.fromkeys(words))
    if name not in _MANY_LINES and _CONTROL.search(text):
        raise ValueError("write it on one line, without control characters")
    if choices and all(isinstance(choice, str) for choice in choices) and text not in choices:
        raise ValueError(f"use one of {', '.join(filter(None, choices))}")
    return text


def _words(text: str) -> list[str]:
    words = re.sub(r"[\s,]+", " ", text).split()
    if "#" in words:
        raise ValueError("a comment at the end of a line starts with ' ;'")
    return words


def _grant_type(name: str) -> str:
    if name not in (*GRANT_TYPES, *GRANT_TYPES.values()):
        raise ValueError(f"unknown grant type{_did_you_mean(name, GRANT_TYPES)}; use {', '.join(GRANT_TYPES)}")
    return GRANT_TYPES.get(name, name)


def _content(path: Path, *, is_secret: bool) -> str:
    """What a file says, without one line break at its end."""
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            # Containers hand secrets over to a group; to everybody on the machine is never right.
            if is_secret and os.name == "posix" and stat.S_ISREG(mode) and mode & (stat.S_IROTH | stat.S_IWOTH):
                raise ValueError(f"every user of this machine can read or change {path}; chmod o-rw it")
            content = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE:
        raise ValueError(f"{path} is larger than {MAX_FILE} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")


def _is_scope(token: str) -> bool:
    try:
        return bool(Scope(token))
    except ValueError:
        return False


def _check_scope(scope: Scope, known: Iterable[str] | None) -> None:
    if known is not None and (unknown := [token for token in scope if token not in set(known)]):
        raise ValueError(f"scope '{unknown[0]}' is not in [scopes]{_did_you_mean(unknown[0], known)}")


def _http_fault(uri: str, allow_http: bool) -> str | None:
    url = urlsplit(uri)
    if url.scheme == "http" and not is_local(url.hostname) and not allow_http:
        return "use https; http is for this machine only (RFC 6749 section 3.1.2.1)"
    return None


def _covers(first: Rule, rule: Rule) -> bool:
    """Whether every request that `rule` is about is judged by `first`."""
    is_below = f"{rule.path}/".startswith(first.path) if first.path.endswith("/") else rule.path == first.path
    covered = (first.method,) if first.method != "GET" else ("GET", "HEAD")
    return is_below and (first.method is None or rule.method in covered)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    return f", did you mean '{close[0]}'?" if close else ""
