"""How people of the staff sign in: by password or identity provider, into a server session.

passwords   argon2 hashes
cookie      the session's secret in the browser, and what a call that relies on it has to show
sessions    signing in and out
oidc        the identity provider, when one is configured
landing     where people go on to
"""
