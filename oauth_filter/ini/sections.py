"""What the sections of an ini file mean."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import Final
from typing import Literal
from typing import get_args
from typing import get_origin
from typing import get_type_hints

from oauth_filter.errors import ConfigError
from oauth_filter.errors import Problem
from oauth_filter.ini.client import ClientSection
from oauth_filter.ini.lines import Entry
from oauth_filter.ini.lines import Section
from oauth_filter.ini.lines import read_sections
from oauth_filter.ini.values import convert
from oauth_filter.ini.values import did_you_mean
from oauth_filter.ini.values import resolve
from oauth_filter.ini.values import words
from oauth_filter.records import Client
from oauth_filter.registration import client_faults
from oauth_filter.registration import with_secret
from oauth_filter.scope import ADMIN_SCOPE
from oauth_filter.scope import OPENID_SCOPES
from oauth_filter.scope import Scope
from oauth_filter.settings import PROFILES
from oauth_filter.settings import JWTIssuer
from oauth_filter.settings import Rule
from oauth_filter.settings import Settings
from oauth_filter.settings import options
from oauth_filter.signing import key_fault

KINDS: Final = {"oauth_filter": False, "protect": False, "scopes": False, "client": True, "jwt_issuer": True}
"""The kinds of sections, and whether there can be several, each with a label: `[client:ID]`."""
KEYS: Final = ("secret", "public_key", "jwks", "jwks_uri")
"""What the keys of a JWT issuer can be given as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One file being read: what its values may refer to, and the faults found so far."""

    file: str
    here: Path
    environ: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    """Options of `[oauth_filter]` that are at fault, and other sections that have such an option."""

    def settings(self, text: str, overrides: Mapping[str, str]) -> Settings:
        """Raise ConfigError with every fault, in the order of the lines."""
        written = read_sections(text, self.fault)
        sections = {name: section for name, section in written.items() if self._is_known(section)}
        main = sections.setdefault("oauth_filter", Section(name="oauth_filter", line=None))
        main.entries.update({name: Entry(name=name, text=value, line=None) for name, value in overrides.items()})
        values = self._values(Settings, main)
        values = {**PROFILES[values.get("profile", "default")], **values}
        values |= self._other_sections(sections, values)
        settings = None
        try:
            settings = Settings(**values)
        except ConfigError as error:
            self._place(error.problems, sections)
        self._check_keys(values["jwt_issuers"], sections)
        if settings is None or self.problems:
            raise ConfigError(sorted(self.problems, key=lambda problem: problem.line or float("inf")))
        return settings

    def fault(self, message: str, line: int | None = None, name: str | None = None) -> None:
        self.problems.append(Problem(message=message, option=name, file=self.file, line=line))

    def _is_known(self, section: Section) -> bool:
        if section.kind not in KINDS or KINDS[section.kind] != (":" in section.name):
            known = [f"{kind}:{section.label or 'NAME'}" if labelled else kind for kind, labelled in KINDS.items()]
            self.fault(f"unknown section [{section.name}]{did_you_mean(section.name, known)}", section.line)
            return False
        if section.kind == "jwt_issuer" and not section.label:
            self.fault("a section of this kind is named for the iss of assertions: [jwt_issuer:ISS]", section.line)
        return True

    def _values(self, of: type, section: Section) -> dict[str, Any]:
        """What a section says of the options of a class; those at fault are left out."""
        known = {name: metadata for name, metadata, _ in options(of)}
        types = get_type_hints(of)
        values: dict[str, Any] = {}
        for name, entry in section.entries.items():
            if name not in known:
                self.fault(f"unknown option '{name}'{did_you_mean(name, known)}", entry.line)
                continue
            kind = known[name]["kind"]
            choices = get_args(types[name]) if get_origin(types[name]) is Literal else known[name]["choices"]
            try:
                values[name] = convert(name, resolve(entry, kind, self.here, self.environ), kind, choices)
            except ValueError as error:
                self.fault(str(error), entry.line, name)
                self.left_out.add(name if of is Settings else section.name)
        return values

    def _other_sections(self, sections: Mapping[str, Section], values: Mapping[str, Any]) -> dict[str, Any]:
        scopes = sections.get("scopes", Section(name="scopes", line=None))
        is_open = not scopes.entries or values.get("unknown_scope") == "allow"
        known = None if is_open else (*scopes.entries, *OPENID_SCOPES, ADMIN_SCOPE)
        of_kind = {kind: [section for section in sections.values() if section.kind == kind] for kind in KINDS}
        return {
            "scopes": self._scopes(scopes),
            "protect": self._rules(of_kind["protect"], known),
            "clients": tuple(self._client(section, known, values.get("secret", "")) for section in of_kind["client"]),
            "jwt_issuers": tuple(
                JWTIssuer(issuer=section.label, **self._values(JWTIssuer, section)) for section in of_kind["jwt_issuer"]
            ),
        }

    def _scopes(self, section: Section) -> dict[str, str]:
        scopes = {}
        for name, entry in section.entries.items():
            try:
                Scope(name)
            except ValueError:
                self.fault("a scope is printable ASCII without spaces, quotes and backslashes", entry.line)
            else:
                scopes[name] = " ".join(entry.text.split()) or name
        return scopes

    def _rules(self, sections: Iterable[Section], known: Iterable[str] | None) -> tuple[Rule, ...]:
        rules: dict[int | None, Rule] = {}
        for entry in (entry for section in sections for entry in section.entries.values()):
            try:
                rule = Rule.parse(entry.name, " ".join(words(entry.text)))
                _check_scope(rule.scope, known)
            except ValueError as error:
                self.fault(str(error), entry.line, entry.name)
                continue
            # First match wins: `/admin/` below `/` would look protected and not be.
            if shadow := next((line for line, first in rules.items() if _covers(first, rule)), None):
                self.fault(f"this is never reached, the rule in line {shadow} matches first", entry.line, entry.name)
            rules[entry.line] = rule
        return tuple(rules.values())

    def _client(self, section: Section, known: Iterable[str] | None, master_secret: str) -> Client:
        values = self._values(ClientSection, section)
        lines = {name: entry.line for name, entry in section.entries.items()}
        secret, scope = values.pop("secret", None), values.pop("scope", None)
        if scope is not None:
            try:
                values["scope"] = str(Scope(*scope))
                _check_scope(scope, known)
            except ValueError as error:
                self.fault(str(error), lines["scope"], "scope")
        client = Client(key=section.label, client_id=section.label, **values)
        left_out = lines.keys() - values.keys()
        if secret is not None:
            try:
                client = with_secret(client, secret, master_secret=master_secret)
            except ValueError as error:
                self.fault(str(error), lines["secret"], "secret")
                left_out.add("token_endpoint_auth_method")
        for problem in client_faults(client):
            if problem.option not in left_out:
                self.fault(problem.message, lines.get(problem.option or "", section.line), problem.option)
        if "client_credentials" in values.get("grant_types", ()) and not lines.keys() & {"secret", "jwks", "jwks_uri"}:
            message = "client_credentials needs a secret (RFC 6749 section 4.4)"
            self.fault(message, lines["grant_types"], "grant_types")
        return client

    def _place(self, problems: Iterable[Problem], sections: Mapping[str, Section]) -> None:
        """Take over the faults that Settings found, each at its line, except those of options left out."""
        for problem in problems:
            name = problem.option or ""
            if name not in self.left_out:
                place = sections["oauth_filter"].entries.get(name) or sections.get(name)
                self.fault(problem.message, place.line if place else None, name or None)

    def _check_keys(self, issuers: Iterable[JWTIssuer], sections: Mapping[str, Section]) -> None:
        faulty = self.left_out | {problem.option for problem in self.problems}
        for issuer in issuers:
            section = sections[f"jwt_issuer:{issuer.issuer}"]
            if section.name not in faulty and (fault := key_fault(issuer)):
                given = next(entry for name, entry in section.entries.items() if name in KEYS)
                self.fault(fault, given.line, given.name)


def _check_scope(scope: Iterable[str], known: Iterable[str] | None) -> None:
    if known is not None and (unknown := [token for token in scope if token not in known]):
        raise ValueError(f"'{unknown[0]}' is not in [scopes]{did_you_mean(unknown[0], known)}")


def _covers(first: Rule, rule: Rule) -> bool:
    """Whether every request that `rule` is about is judged by `first`."""
    is_below = f"{rule.path}/".startswith(first.path) if first.path.endswith("/") else rule.path == first.path
    covered = (first.method,) if first.method != "GET" else ("GET", "HEAD")
    return is_below and (first.method is None or rule.method in covered)
