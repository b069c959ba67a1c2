#!/bin/sh
# Prints one line for each library: found, or what is missing without it and how to get it.
cc=$1
arch=$2
# shellcheck disable=SC2086 # CC may hold words, as in "ccache gcc"
if ! version=$($cc --version 2>/dev/null); then
    echo "compiler   $cc MISSING" >&2
    echo "Run ./setup.sh to install what is missing." >&2
    exit 1
fi
echo "compiler   $(printf '%s\n' "$version" | head -n 1)"
case $arch in
x86_64) echo "kernels    plain C, AVX2, AVX-512, VNNI, BF16, AMX (chosen at run time)" ;;
*) echo "kernels    plain C only: none are written for $arch yet" ;;
esac
missing=
need() { # name, test, package
    if eval "$2" 2>/dev/null; then echo "$1 found"; else
        echo "$1 MISSING: install $3"
        missing=1
    fi
}
# With the flags that the build will have, which name the place where the libraries are not where the compiler looks.
# shellcheck disable=SC2086
header() { echo "#include <$1>" | $cc $CFLAGS $CPPFLAGS -E -x c - >/dev/null 2>&1; }
command -v pkg-config >/dev/null || {
    echo "pkg-config MISSING: install pkg-config, which says where the libraries are" >&2
    echo "Run ./setup.sh to install what is missing." >&2
    exit 1
}
need "oneDNN    " "header dnnl.h" libdnnl-dev
for p in jansson:libjansson-dev libfyaml:libfyaml-dev libarchive:libarchive-dev libxxhash:libxxhash-dev \
    libpcre2-8:libpcre2-dev libutf8proc:libutf8proc-dev libcrypto:libssl-dev libedit:libedit-dev \
    libseccomp:libseccomp-dev libcurl:libcurl4-openssl-dev sqlite3:libsqlite3-dev; do
    need "$(printf '%-10s' "${p%%:*}")" "pkg-config --exists ${p%%:*}" "${p##*:}"
done
# Optional: a file of the same functions says what is missing.
if pkg-config --exists libmariadb; then echo "libmariadb found"; else
    echo "libmariadb MISSING: no --sql-server, InterCode-SQL runs on SQLite alone; install libmariadb-dev"
fi
# Called when a model's code is run, not when this is built.
if command -v bwrap >/dev/null; then echo "bubblewrap found"; else
    echo "bubblewrap MISSING: no sandbox, so no model's code will run; install bubblewrap"
fi
if command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ]; then echo "mariadbd   found"; else
    echo "mariadbd   MISSING: no --sql-server auto; ./setup.sh mariadb installs it"
fi
if [ "$missing" ]; then
    echo "Run ./setup.sh to install what is missing." >&2
    exit 1
fi
