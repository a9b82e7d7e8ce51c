"""A Flask application as it has stood for years. Only the view /whoami was added for the filter."""

import re

from flask import Flask
from flask import redirect
from flask import render_template_string
from flask import request
from flask import session

app = Flask(__name__)
app.secret_key = "published with the example: make your own"

PASSWORDS = {"alice": "wonderland", "bob": "builder"}
NOTES = {"alice": ["Follow the rabbit", "Drink me"], "bob": ["Fix it"]}

HOME = """<!doctype html><title>Notes</title>
{% if user %}<h1>Notes of {{ user }}</h1><ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
<form method="post" action="/logout"><button>Sign out</button></form>
{% else %}<h1>Notes</h1><a href="/login">Sign in</a>{% endif %}"""

FORM = """<!doctype html><title>Sign in to Notes</title><h1>Sign in to Notes</h1>
{% if failed %}<p role="alert">Wrong name or password.</p>{% endif %}
<form method="post"><p><label>Name <input name="username" autofocus></label></p>
<p><label>Password <input name="password" type="password"></label></p><button>Sign in</button></form>"""


@app.get("/")
def home():
    user = session.get("user")
    return render_template_string(HOME, user=user, notes=NOTES.get(user, []))


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        user = request.form["username"]
        if PASSWORDS.get(user) == request.form["password"]:
            session["user"] = user
            return redirect(where_to(request.args.get("next", "/")))
    return render_template_string(FORM, failed=request.method == "POST")


@app.post("/logout")
def logout():
    session.clear()
    return redirect("/")


@app.get("/api/notes")
def notes():
    return NOTES.get(request.remote_user, [])


@app.get("/whoami")
def whoami():
    """For the filter: who is signed in."""
    return {"username": session.get("user")}


def where_to(target):
    """A place of our own to go on to: a login page that sends people anywhere is made for phishing."""
    return target if re.match(r"/(?![/\\])", target) else "/"
