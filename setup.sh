#!/bin/sh
# Installs the Debian 12 packages that Lemur is built, tested and demonstrated with: as root by apt-get, else it prints the
# line to run and exits 1.  Does nothing where nothing is missing.  Safe to run again.
#     ./setup.sh
#     ./setup.sh clang      also what `CC=clang make` and `make fuzz` want
#     ./setup.sh mariadb    also the server of `lemur eval --sql-server auto` (45 MB; nothing is started by installing it)
build='gcc make pkg-config libc6-dev libdnnl-dev libjansson-dev libfyaml-dev libarchive-dev libxxhash-dev libpcre2-dev
    libutf8proc-dev libssl-dev libedit-dev libseccomp-dev
    libcurl4-openssl-dev ca-certificates libsqlite3-dev libmariadb-dev libcmocka-dev'
# What the program calls when it runs a model's code: the sandbox's walls, and what stands in them.
# The Python packages are those that recorded programs import.  gnuplot draws what `lemur report` shows.
run='bubblewrap gnuplot-nox python3 python3-numpy python3-scipy python3-shapely python3-sympy'
# The demo compares with xz and zstd, and learns from what these packages hold: docs/sources.md.
demo='xz-utils zstd perl perl-doc libpython3-stdlib linux-libc-dev vim-runtime'
extra=
for word; do
    case $word in
    clang) extra="$extra clang libomp-dev" ;;
    mariadb) extra="$extra mariadb-server-core" ;;
    *)
        echo "usage: ./setup.sh [clang] [mariadb]" >&2
        exit 2
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: this is no Debian system; install what provides these packages, then run make:" >&2
    # shellcheck disable=SC2086 # lists of packages
    echo "   " $build $run $demo $extra >&2
    exit 1
fi

# pkg-config is provided by pkgconf on newer releases; any package that provides a name will do.
have=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
    sed -n 's/^installed //p' | tr ', ' '\n\n' | sort -u)
missing=
for p in $build $run $demo $extra; do
    case "
$have
" in
    *"
$p
"*) ;;
    *) missing="$missing $p" ;;
    esac
done
if [ -z "$missing" ]; then
    echo "setup: every package is here"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these packages are missing; run this once, then the same command again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "setup: installing$missing"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of packages
if apt-get -q update >"$log" 2>&1 && apt-get -q install -y --no-install-recommends $missing >>"$log" 2>&1; then
    echo "setup: done"
else
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed (above); is there a network, and is this Debian 12 or newer?" >&2
    exit 1
fi
