# reports.py - the report server. Runs behind mod_python, which asks for the
# password and sets REMOTE_USER.  -- hk, 2006-03-14

REPORTS = {'q1': 'First quarter: 12 rabbits', 'q2': 'Second quarter: 30 rabbits'}


def application(environ, start_response):
    user = environ.get('REMOTE_USER')
    if not user:
        start_response('403 Forbidden', [('Content-Type', 'text/plain')])
        return [b'Who are you?\n']
    name = environ['PATH_INFO'].split('/')[-1]
    if name not in REPORTS:
        start_response('404 Not Found', [('Content-Type', 'text/plain')])
        return [b'No such report.\n']
    text = REPORTS[name] + ', for ' + user + '\n'
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [text.encode('latin-1')]
