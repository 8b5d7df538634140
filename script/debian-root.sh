# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Minimal Debian systems, for the scripts that try things in one. Sourced after shell.sh.

# The first Debian archive that apt uses here, not its security or update parts.
debian_mirror() {
    local mirror
    # shellcheck disable=SC2016  # these are apt's variables
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)' \
        'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main" && $3 !~ /-/ { print $4; exit }')
    [ -n "$mirror" ] || fail "apt here has no Debian archive to take the mirror from"
    echo "$mirror"
}

# make_root SUITE DIRECTORY [PACKAGE,…]: debootstrap, then what apt in there needs to reach the
# mirror as this machine does: the same proxies, certificates and names.
make_root() {
    local suite=$1 new=$2 include=${3:-} mirror proxy file
    mirror=$(debian_mirror)
    case $mirror in https:*) include+=${include:+,}ca-certificates ;; esac
    proxy=$(apt-config shell value Acquire::http::Proxy | sed -n "s/^value='\(.*\)'$/\1/p")
    [ -n "$proxy" ] && [ "$proxy" != DIRECT ] && export http_proxy=$proxy
    debootstrap --variant=minbase ${include:+--include="$include"} "$suite" "$new" "$mirror" \
        >"$new.log" 2>&1 || {
        tail -n 20 "$new.log" >&2
        fail "debootstrap $suite"
    }
    rm -f "$new.log"
    apt-config dump | grep -E '^Acquire::https?::' >"$new/etc/apt/apt.conf.d/90host" || true
    while read -r file; do
        [ -f "$file" ] && install -D -m 644 "$file" "$new$file"
    done < <(apt-config dump | sed -nE 's/^Acquire::https?::.*Ca(Info|Path) "(.*)";$/\2/Ip')
    if [ -d /usr/local/share/ca-certificates ]; then
        mkdir -p "$new/usr/local/share"
        cp -a /usr/local/share/ca-certificates "$new/usr/local/share/"
    fi
    cp -L /etc/resolv.conf /etc/hosts "$new/etc/"
}
