# What the scripts share; sourced, not run.

# The scripts work from any directory.
checkout=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
cd "$checkout"

# Building needs these beside the Swift toolchain: the C and C++ headers, and the C libraries of Package.swift.
build_packages=(g++ git pkgconf libyaml-dev libnl-genl-3-dev libqrencode-dev libssl-dev
    libfreetype-dev libfribidi-dev libgpiod-dev fonts-dejavu-core)

# The unit tests and those of the page use these: other people's readers of what is written here, and namespaces.
unit_packages=(iproute2 libnss3-tools libzbar0 openssl python3 python3-pil python3-zxing-cpp zbar-tools)

# The tests of Tests/Radio and the measurements of access points use these: other access points, phones' Wi-Fi and DHCP
# clients, and what listens in.
radio_packages=(
    "${unit_packages[@]}" curl dbus dnsmasq-base hostapd iputils-ping isc-dhcp-client iw iwd kmod nftables procps
    python3-venv rfkill systemd tshark udhcpc wireless-regdb wpasupplicant
)

# The tests of Tests/Panel use these.
panel_packages=("${unit_packages[@]}" kmod python3-venv systemd)

# Debian starts services with these, and the tests only want their programs.
service_packages=(coturn hostapd iwd wpasupplicant)

# A line for the person, apart from what a script prints as its result.
note() { echo "kibitz-local: $*" >&2; }

die() {
    note "$@"
    exit 1
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root, and sudo is not installed: $*"
    fi
}

# Whether a Debian package is installed.
is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Installs those of the given Debian packages that are missing. No call to apt when none is.
need_packages() {
    local package missing=()
    if ! command -v apt-get >/dev/null; then
        note "no apt-get here: this goes on as if the like of $* were installed"
        return
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID == 0)); then
        note "installing ${missing[*]}"
    else
        note "installing ${missing[*]} (by sudo, which may ask for your password)"
    fi
    # The package lists of a fresh system are empty or stale.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 update >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y --no-install-recommends \
            -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install "${missing[@]}" >/dev/null ||
        die "apt could not install ${missing[*]}: its own words are above"
}

# Installs packages as need_packages does; a service that comes with one is kept off.
need_programs() {
    local package new=()
    for package in "${service_packages[@]}"; do
        [[ " $* " != *" $package "* ]] || is_installed "$package" || new+=("$package")
    done
    need_packages "$@"
    if ((${#new[@]})) && [[ -d /run/systemd/system ]]; then
        as_root systemctl --quiet disable --now "${new[@]/%wpasupplicant/wpa_supplicant}"
    fi
}

# Stops with one line unless there is a Swift that can build the package.
need_swift() {
    local words version
    local how="get 6.2 or newer from https://www.swift.org/install/linux/, then run this again"
    command -v swift >/dev/null || die "Swift is missing: $how"
    # An unpacked toolchain lacks these on a fresh system.
    swift package --version >/dev/null 2>&1 || need_packages libcurl4 libncurses6 libxml2
    words=$(swift package --version 2>&1) || die "Swift does not start (${words%%$'\n'*}): $how"
    version=$(sed -nE 's/.*Swift ([0-9]+\.[0-9]+).*/\1/p' <<<"$words" | head -n 1)
    [[ $(printf '%s\n' 6.2 "$version" | sort -V | head -n 1) == 6.2 ]] || die "Swift ${version:-of this machine} is too old: $how"
}

# One compiler at a time for each gigabyte of memory, so that a small Raspberry Pi does not run out of it.
build_jobs() {
    local cores gigabytes
    cores=$(nproc)
    gigabytes=$(awk '/^MemTotal:/ { print int($2 / 900000) }' /proc/meminfo)
    ((gigabytes < 1)) && gigabytes=1
    echo $((cores < gigabytes ? cores : gigabytes))
}

# A release build as the box has it: with the Swift library inside and without debug information. The rest makes it
# small, on the disk and, since most of the process's memory is its code, in memory too: no table of every function's
# name, which Swift's static library asks for and which keeps all unused functions in; a section for each function, so
# that unused ones go; relative relocations packed (glibc 2.36 and newer); no unwind tables, which nothing here reads:
# Swift's errors and traps do not unwind, and debuggers follow the frame pointers; no metadata that only debuggers read;
# C for size, for what is hot in BoringSSL is assembly. Folding like functions (--icf=all) would take another 1.2 MB,
# but makes key paths equal that are not. Libraries that are first used later (CPanelLibraries) or not at all are not
# looked for at the start, and none is looked for beside the executable. What a box calls lies side by side
# (functions.order, made by scripts/order): a fifth less memory, and less to read from a slow card at its start.
release_options=(
    -c release --static-swift-stdlib -Xlinker --no-export-dynamic -Xlinker -s -Xswiftc -use-ld=lld
    -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections -Xcc -fdata-sections -Xcc -Oz
    -Xlinker -z -Xlinker pack-relative-relocs
    -Xlinker -T -Xlinker scripts/lib/sections.ld
    -Xlinker --symbol-ordering-file=scripts/lib/functions.order -Xlinker --no-warn-symbol-ordering
    -Xswiftc -Xclang-linker -Xswiftc --config=scripts/lib/link.cfg --disable-local-rpath
)

# Builds one product for release.
build_release() {
    local quiet=--quiet
    [[ -x .build/release/$1 ]] || note "building, which takes some minutes the first time"
    # Progress is for a person, and only worth its lines when there is much to wait for.
    [[ -t 2 && ! -x .build/release/$1 ]] && quiet=
    swift build $quiet --jobs "$(build_jobs)" --product "$1" "${release_options[@]}" >&2 ||
        die "the build failed"
}

# The Debian mirror this machine's apt uses, in either format of its sources.
debian_mirror() {
    local file uri
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [[ -r $file ]] || continue
        # "deb [options] URI suite …" and "URIs: URI …"; Debian's archive is the one that ends in /debian.
        uri=$(sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p; s/^URIs: *([^ ]+).*/\1/p' "$file" |
            sed -nE '\#/debian/?$#{p;q}')
        if [[ $uri ]]; then
            echo "${uri%/}"
            return
        fi
    done
    die "no Debian mirror in this machine's apt sources: name one in DEBIAN_MIRROR"
}
