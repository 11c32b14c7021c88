#!/bin/sh
# Installs the agent of Rookery on a machine with Python 3.9 or newer.
#
#   sh install.sh --url https://CONTROL:8082 --ca-sha256 HEX
#   sh install.sh --url https://CONTROL:8082 --insecure-skip-verify     (for trials)
#
# With --ca-sha256 the download comes from the control plane whose CA has that hash, or fails.
# --home DIR installs elsewhere than in /opt/rookery-agent, --no-link makes no command by its name.
# Without both, the certificate has to be signed by a CA that this system knows.
# Afterwards: rookery-agent register …, as the control plane shows it.
set -eu

url=""
ca_sha256=""
insecure=""
home="${ROOKERY_AGENT_HOME:-}"
link="/usr/local/bin/rookery-agent"

die() {
    printf 'rookery-agent: %s\n' "$1" >&2
    exit 1
}

need_value() { [ "$#" -ge 2 ] && [ -n "$2" ] || die "$1 needs a value"; }

while [ "$#" -gt 0 ]; do
    case "$1" in
    --url) need_value "$@"; url="${2%/}"; shift 2 ;;
    --ca-sha256) need_value "$@"; ca_sha256="$2"; shift 2 ;;
    --home) need_value "$@"; home="$2"; shift 2 ;;
    --insecure-skip-verify) insecure=1; shift ;;
    --no-link) link=""; shift ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "unknown argument: $1" ;;
    esac
done
[ -n "$url" ] || die "--url is needed"

python=""
for candidate in python3 python3.13 python3.12 python3.11 python3.10 python3.9; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
        python=$(command -v "$candidate")
        break
    fi
done
[ -n "$python" ] || die "Python 3.9 or newer is needed; Debian and Ubuntu: apt-get install python3"

if [ -z "$home" ]; then
    if [ "$(id -u)" = 0 ]; then home=/opt/rookery-agent; else home="$HOME/.rookery-agent"; fi
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM

# The same interpreter that runs the agent downloads it: nothing else has to be there.
URL="$url" CA_SHA256="$ca_sha256" INSECURE="$insecure" "$python" - "$folder/rookery-agent.pyz" <<'PYTHON'
import hashlib
import os
import re
import ssl
import sys
import urllib.error
import urllib.request

LIMIT = 64 * 1024 * 1024
url = os.environ["URL"]
pin = os.environ["CA_SHA256"].replace(":", "").lower()


def fetch(path, context):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(url + path, timeout=60) as answer:
            return answer.read(LIMIT)
    except (OSError, ValueError) as error:
        sys.exit("rookery-agent: %s%s: %s" % (url, path, getattr(error, "reason", error)))


def unchecked():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


context = ssl.create_default_context()
if os.environ["INSECURE"]:
    context = unchecked()
elif pin:
    text = fetch("/dl/agent/ca.pem", unchecked()).decode("ascii", "replace")
    found = re.findall("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", text, re.S)
    for pem in found:
        if hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() == pin:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=pem + "\n")
            break
    else:
        sys.exit("rookery-agent: the CA of %s is another than --ca-sha256 says" % url)
data = fetch("/dl/agent/rookery-agent.pyz", context)
with open(sys.argv[1], "wb") as file:
    file.write(data)
PYTHON

"$python" "$folder/rookery-agent.pyz" --version
"$python" "$folder/rookery-agent.pyz" install --home "$home"

# A command by that name, where this user may put one.
if [ "$(id -u)" = 0 ] && [ -n "$link" ]; then
    printf '#!/bin/sh\nexec "%s" "%s/bin/rookery-agent.pyz" "$@"\n' "$python" "$home" >"$link"
    chmod 755 "$link"
    printf 'rookery-agent: installed as %s\n' "$link"
else
    printf 'rookery-agent: installed; run it with: %s %s/bin/rookery-agent.pyz\n' "$python" "$home"
fi
