"""`python -m oauth_filter.cli`: the command where no script is installed."""

from oauth_filter.cli import main

main(prog_name="oauth-filter")
