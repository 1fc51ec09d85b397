# Sourced: machines as scenarios see them. Each has a directory in $out, /vm inside, through which it takes orders.
out=$(mktemp -d /tmp/gocore-sink-testbed.XXXXXX)
trap 'stop_machines; rm -rf "$out"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
ulimit -c 0

# What a machine boots: $kernel says which.
linux() { [ "$kernel" = old ] && echo /usr/bin/linux.uml || echo "$new_kernel/usr/bin/linux.uml"; }
modules() { [ "$kernel" = old ] && echo /usr/lib/uml/modules || echo "$new_kernel/usr/lib/uml/modules"; }

# UML makes itself the leader of a session: its group is the whole machine.
power_cut() {
  local file
  for file in "$out/$1"/{pid,"uml/$1/pid"}; do
    [ -e "$file" ] && kill -KILL -- "-$(cat "$file")" 2>/dev/null
    rm -f "$file"
  done
}
stop_machines() {
  local file
  for file in "$out"/*/pid; do
    [ ! -e "$file" ] || power_cut "$(basename "${file%/pid}")"
  done
}

is_up() { [ -e "$out/$1/pid" ] && kill -0 "$(cat "$out/$1/pid")" 2>/dev/null; }

# boot NAME [address=A] [KERNEL OPTION…]: a machine of this name, a function by whose name it is told what to do. With an
# address it is on the machines' network. A file NAME.disk made before (make_disk) holds what it writes, and outlives it.
boot() {
  local name=$1 dir=$out/$1 address='' more=()
  shift
  while [ $# -gt 0 ]; do
    case $1 in address=*) address=${1#*=} ;; *) more+=("$1") ;; esac
    shift
  done
  eval "$name() { on $name \"\$@\"; }"
  mkdir -p "$dir/uml"
  rm -f "$dir"/{up,order.*,running.*,status.*,output.*,ending.*}
  [ -e "$out/$name.disk" ] && more+=("ubd0=$out/$name.disk")
  [ -z "$address" ] || { join_network "$name" || return; more+=("vec0:transport=tap,ifname=$name,depth=64,gro=1"); }
  set -m
  timeout --kill-after=5 "${TESTBED_TIMEOUT:-3600}" "$(linux)" mem="${TESTBED_MEMORY:-1536M}" \
    root=/dev/root rootfstype=hostfs rootflags=/ ro init="$here/init" \
    con=null con0=fd:0,fd:1 quiet panic=1 uml_dir="$dir/uml/" umid="$name" "${more[@]}" \
    TESTBED_ROOT="$root" TESTBED_KERNEL="$kernel" TESTBED_MODULES="$(modules)" TESTBED_OUT="$dir" TESTBED_NAME="$name" TESTBED_ADDRESS="$address" </dev/null >>"$dir/console" 2>&1 &
  echo $! > "$dir/pid"
  disown
  set +m
  while ! [ -e "$dir/up" ]; do
    is_up "$name" || { tail -20 "$dir/console"; echo "the machine $name did not start"; return 1; }
    sleep 0.2
  done
}

# on NAME COMMAND…: what it prints, and its status; 98 where the machine is gone.
on() {
  local name=$1 dir=$out/$1 order
  shift
  order=$(mktemp "$dir/new.XXXXXXXX")
  printf '. %q\n%s\n' "$here/inside.sh" "$(printf '%q ' "$@")" > "$order"
  order=${order##*.}
  mv "$dir/new.$order" "$dir/order.$order"
  while ! [ -e "$dir/status.$order" ]; do
    is_up "$name" || { echo "the machine $name is gone"; return 98; }
    sleep 0.1
  done
  cat "$dir/output.$order"
  return "$(cat "$dir/status.$order")"
}

# An orderly end.
halt() {
  on "$1" systemctl poweroff >/dev/null
  for _ in $(seq 600); do is_up "$1" || break; sleep 0.2; done
  power_cut "$1"
}

# make_disk NAME SIZE: a file with an empty ext4.
make_disk() {
  rm -f "$out/$1"
  truncate -s "$2" "$out/$1"
  mkfs.ext4 -q -F -m 0 -E lazy_itable_init=0,lazy_journal_init=0 "$out/$1"
}

# The other end of its cable: without it packets are lost, and nobody is told. (UML spins where its own end is down.)
unplug() { ip link set "$1" nomaster; }
plug() { ip link set "$1" master br0; }

# build_ballast: the program of ballast.go, as /vm/ballast of each machine named.
build_ballast() {
  local name
  command -v go >/dev/null || { echo 'this takes Go'; return 1; }
  CGO_ENABLED=0 go build -o "$out/ballast" "$here/ballast.go" || return
  for name; do
    cp "$out/ballast" "$out/$name/" && "$name" cp /vm/ballast /usr/local/bin/ballast || return
  done
}
# Of the lines that judge prints, and scripts/faults.
table_head() { printf '%s\n' '| fault | tries | lost | listed twice | wrongly complete | longest hold | whole / cut / record |' '|---|--:|--:|--:|--:|--:|--:|'; }
# dies MACHINE NAME: waits for the moment in which the program of this name dies.
dies() { patience=1500 eventually test -s "$out/$1/$2.died"; }

join_network() {
  [ -e /dev/net/tun ] || { echo 'this takes /dev/net/tun'; return 1; }
  if ! ip link show br0 >/dev/null 2>&1; then
    ip link set lo up
    ip link add br0 type bridge && ip link set br0 up || return
  fi
  ip link show "$1" >/dev/null 2>&1 && return
  ip tuntap add dev "$1" mode tap && ip link set "$1" master br0 && ip link set "$1" up
}
