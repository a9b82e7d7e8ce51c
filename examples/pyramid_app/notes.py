"""A Pyramid application as it has stood for years. Only the view `whoami` was added for the filter."""

import re

from pyramid.authentication import SessionAuthenticationHelper
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid.security import forget
from pyramid.security import remember
from pyramid.session import SignedCookieSessionFactory
from pyramid.view import view_config

PASSWORDS = {"alice": "wonderland", "bob": "builder"}
NOTES = {"alice": ["Follow the rabbit", "Drink me"], "bob": ["Fix it"]}

FORM = """<!doctype html><title>Sign in to Notes</title><h1>Sign in to Notes</h1>{alert}
<form method="post"><p><label>Name <input name="username" autofocus></label></p>
<p><label>Password <input name="password" type="password"></label></p><button>Sign in</button></form>"""


class SessionPolicy:
    """Who signed in by the form, as the session remembers."""

    def __init__(self):
        self.helper = SessionAuthenticationHelper()

    def identity(self, request):
        user = self.helper.authenticated_userid(request)
        return user if user in PASSWORDS else None

    authenticated_userid = identity

    def permits(self, request, context, permission):
        return self.identity(request) is not None

    def remember(self, request, userid, **options):
        return self.helper.remember(request, userid, **options)

    def forget(self, request, **options):
        return self.helper.forget(request, **options)


@view_config(route_name="home")
def home(request):
    if request.authenticated_userid is None:
        return Response('<!doctype html><title>Notes</title><h1>Notes</h1><a href="/login">Sign in</a>')
    items = "".join(f"<li>{note}</li>" for note in NOTES[request.authenticated_userid])
    return Response(f'<!doctype html><title>Notes</title><ul>{items}</ul><a href="/logout">Sign out</a>')


@view_config(route_name="login")
def login(request):
    if request.method == "POST":
        user = request.POST.get("username", "")
        if user in PASSWORDS and PASSWORDS[user] == request.POST.get("password"):
            came_from = request.GET.get("came_from", "/")
            # A login page that sends people anywhere is made for phishing.
            target = came_from if re.match(r"/(?![/\\])", came_from) else "/"
            return HTTPSeeOther(target, headers=remember(request, user))
    return Response(FORM.format(alert='<p role="alert">Wrong name or password.</p>' if request.POST else ""))


@view_config(route_name="logout")
def logout(request):
    return HTTPSeeOther("/", headers=forget(request))


@view_config(route_name="notes", renderer="json")
def notes(request):
    return NOTES.get(request.remote_user, [])


@view_config(route_name="whoami", renderer="json")
def whoami(request):
    """For the filter: who is signed in."""
    return {"username": request.authenticated_userid}


def main(global_config, **settings):
    """The application of the ini file."""
    config = Configurator(settings=settings)
    config.set_session_factory(SignedCookieSessionFactory(settings["notes.session_secret"]))
    config.set_security_policy(SessionPolicy())
    config.add_route("home", "/")
    config.add_route("login", "/login")
    config.add_route("logout", "/logout")
    config.add_route("notes", "/api/notes")
    config.add_route("whoami", "/whoami")
    config.scan(__name__)
    return config.make_wsgi_app()
