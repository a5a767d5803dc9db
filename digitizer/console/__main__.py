"""``python -m digitizer.console``: the console's own process; ``digitizer serve`` keeps it running.

A port that is taken ends the process; whoever keeps it running tries again.
"""

import sys

import uvicorn

from digitizer import config, log, wiring
from digitizer.console.app import make_app
from digitizer.console.site import Site
from digitizer.errors import DigitizerError


def main() -> int:
    """Serve until told to stop."""
    try:
        loaded = config.load()
        log.configure(loaded.settings.log_level)
        wiring.settle_process()
        server = server_of(loaded)
    except DigitizerError as error:
        sys.stderr.write(f"digitizer: console: {error}\n")
        return 1
    server.run()
    return 0


def server_of(loaded: config.Loaded) -> uvicorn.Server:
    """Return the console of a site as a server, by TLS where that is set."""
    console = loaded.settings.console
    told = uvicorn.Config(
        make_app(Site.of(loaded)),
        host=console.host,
        port=console.port,
        ssl_certfile=console.tls_certificate,
        ssl_keyfile=console.tls_key,
        # Addresses may name films and patients: they are logged nowhere.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(told)


if __name__ == "__main__":
    sys.exit(main())
