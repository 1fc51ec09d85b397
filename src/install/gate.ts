/**
 * How many handlers run at a time, decided by the shell that the kernel starts, before there is a Node of 50 MB: a
 * crash that comes while as many are at work waits in line, which costs a megabyte and no processor; the kernel holds
 * its process meanwhile. A lone crash meets a few of the shell's own words, and no other program.
 *
 *     RuntimeDirectory/gate/PID         a ticket: the handler at work, or about to start, as that process; in it, when that
 *                                       one got on last
 *     RuntimeDirectory/gate/limits      tickets at a time, and seconds that one waits for one at most
 *     RuntimeDirectory/gate/line.N.P    held by the first in line of a user's program: N the user's number modulo 64, P its
 *                                       name by the first letter and the last
 *     RuntimeDirectory/gate/line.N      held by the first of the user's firsts
 *     RuntimeDirectory/gate/line        held by the first of these, the one that looks for a ticket
 *     RuntimeDirectory/gate/since       when a look at who gets on began
 *
 * Times are centiseconds since the boot. Those that files have are of a clock that can be set, and steps back.
 *
 * Users have lines of their own, and their programs again, so that nobody who crashes a thousand times keeps others
 * waiting for all of them. A program is known by the name of its first thread, since the one that crashed may be called
 * anything. Lines are held by flock(2), which ends with the process that holds it; a ticket whose process is gone, or is
 * another program, is taken away by whoever looks for one. A handler writes the time into its ticket as long as it gets on:
 * the kernel may wait for memory that a file system of the crasher's own gives, for ever, and a few such crashes would shut
 * everybody else out. One that has stood still for a quarter of the time that one waits, and ten seconds, is ended by whoever
 * looks. Who waits too long leaves a line in the kernel log, of which the daemon makes a record. Where the gate can't be made,
 * or there is no flock(1), crashes are taken as they come.
 */
import type { GateLimits } from '../config/index.ts'

export interface Gate extends GateLimits {
  readonly directory: string
  /** A program and its arguments that start the handler with fewer rights, see `bounds.ts`; left out where it has gone. */
  readonly bounds?: readonly string[]
}

/**
 * Shell text that becomes `handler` with the kernel's fields behind its options, see `handleCrash`. `handler` is a
 * program and its first arguments, `config` a file: words without blanks and quotes. POSIX with `test -ef`, of 2024.
 */
export function gateText(handler: readonly string[], config: string, gate: Gate): string {
  const { bounds = [] } = gate
  return `PATH=/usr/sbin:/usr/bin:/sbin:/bin
gate=${gate.directory}
ticket=$gate/$$ most=${gate.most} longest=${gate.longest} waited= left=1
[ -d $gate ] || mkdir -p -m 700 $gate </dev/null
[ -f $gate/limits ] && read -r most longest <$gate/limits
case $most/$longest in /* | */ | *[!0-9/]*) most=${gate.most} longest=${gate.longest} ;; esac
count_tickets() {
  set -- $gate/[0-9]*
  [ -e "$1" ] && tickets=$# || tickets=0
}
# Counted again when it is there: of several that come at once, not all are let in.
take_ticket() {
  count_tickets
  [ $tickets -lt $most ] || return
  read_clock
  echo $now >$ticket || return 0
  count_tickets
  [ $tickets -le $most ] && return
  rm -f $ticket </dev/null
  return 1
}
take_away_stale() {
  set -- $gate/[0-9]*
  for one; do
    exe=/proc/\${one##*/}/exe
    [ $exe -ef ${handler[0]} ] || [ $exe -ef /proc/$$/exe ] ||${bounds.length > 0 ? ` [ $exe -ef ${bounds[0]} ] ||` : ''} rm -f "$one" </dev/null
  done
}
# A thread of it could go on and has no processor: it is the machine that is slow.
is_runnable() {
  for task in /proc/$1/task/[0-9]*/stat; do
    state=
    { read -r state <$task; } 2>/dev/null
    case \${state##*)} in ' R'*) return 0 ;; esac
  done
  return 1
}
# A ticket without a time tells nothing: there was no room to write it.
end_those_that_stand_still() {
  set -- $gate/[0-9]*
  for one; do
    beat=
    [ -f "$one" ] && read -r beat <"$one"
    case $beat in '' | *[!0-9]*) continue ;; esac
    [ $beat -ge $since ] || ! [ /proc/\${one##*/}/exe -ef ${handler[0]} ] && continue
    is_runnable \${one##*/} && continue
    # The number may be another's by now, but nobody else of ours is so dear to the kernel.
    read -r dear </proc/\${one##*/}/oom_score_adj && [ "$dear" = -900 ] && kill -KILL \${one##*/} || continue
    rm -f "$one" </dev/null
    echo "<12>gocore-sink: ENDED the handler \${one##*/}, which stood still while others waited" >/dev/kmsg
  done
}
watch_them() {
  patience=$((longest * 25)) since=
  [ $patience -ge 1000 ] || patience=1000
  [ -f $gate/since ] && read -r since <$gate/since
  case $since in
  '' | *[!0-9]*) ;;
  *)
    [ $((now - since)) -ge $patience ] || return
    end_those_that_stand_still
    ;;
  esac
  echo $now >$gate/since
}
# Centiseconds since the boot.
read_clock() {
  read -r now _ </proc/uptime
  now=\${now%.*}\${now#*.}
}
reckon() {
  read_clock
  waited=$((now - began))
  left=$((longest - waited / 100))
  [ $left -gt 0 ]
}
# 75: the time is over. Where it fails otherwise, one goes on without a line.
stand_in_line() {
  reckon || return
  flock -w $left -E 75 $1 </dev/null
  [ $? -ne 75 ]
}
# Letters and digits in eight classes: no name becomes a part of a path.
class_of() {
  case $1 in
  [a-dA-D]) class=1 ;; [e-hE-H]) class=2 ;; [i-lI-L]) class=3 ;; [m-pM-P]) class=4 ;;
  [q-tQ-T]) class=5 ;; [u-zU-Z]) class=6 ;; [0-9]) class=7 ;; *) class=0 ;;
  esac
}
name_program() {
  name=
  { read -r name </proc/$1/comm; } 2>/dev/null
  class_of "\${name%"\${name#?}"}"
  program=$class
  class_of "\${name#"\${name%?}"}"
  program=$program$class
}
wait_for_ticket() {
  stand_in_line 7 && stand_in_line 8 && stand_in_line 9 || return
  until take_ticket; do
    take_away_stale
    watch_them
    sleep 0.04 </dev/null || sleep 1 </dev/null
    reckon || return
  done
}
if ! take_ticket; then
  echo -900 >/proc/$$/oom_score_adj 2>/dev/null
  user=0
  case $2 in '' | *[!0-9]*) ;; *) user=$(($2 % 64)) ;; esac
  name_program "$1"
  read_clock
  began=$now
  if ! wait_for_ticket 7>$gate/line.$user.$program 8>$gate/line.$user 9>$gate/line && [ $left -le 0 ]; then
    comm=$7
    case $comm in '' | *[!A-Za-z0-9._+-]*) comm='?' ;; esac
    echo "<12>gocore-sink: REFUSED the core of crash of process $1 ($comm) of user $2, signal $4: it waited $longest s for a handler, and others were before it" >/dev/kmsg
    exit 1
  fi
fi
# The fact first: of a handler that is killed before it can speak, nobody else would tell.
told=
case $2$4 in
'' | *[!0-9]*) ;;
*)
  comm=$7
  case $comm in *[!\\ -~]* | *\\\\*) comm='?' ;; esac
  printf '<13>gocore-sink: crash of process %s (%s) of user %s, signal %s\\n' "$1" "$comm" "$2" "$4" 2>/dev/null >/dev/kmsg &&
    told=--told
  ;;
esac
bounds=
${
  bounds.length > 0
    ? `[ -x ${bounds[0]} ] && bounds='${bounds.join(' ')}'
`
    : ''
}exec $bounds ${handler.join(' ')} --ticket $ticket \${waited:+--waited \${waited}0} $told --config ${config} -- "$@"
`
}
