"""The web server around the pages: sign-in, REST and the guard before both."""
