/**
 * Signals in words: the kernel's names, the runtime's own texts (runtime/sigtab_linux_generic.go, the same in all
 * versions), and the si_code values (include/uapi/asm-generic/siginfo.h). Numbers as on all architectures but mips.
 */

/** `NAME: text` of runtime.sigtable, by number from 1. */
const sigtable = [
  'SIGHUP: terminal line hangup',
  'SIGINT: interrupt',
  'SIGQUIT: quit',
  'SIGILL: illegal instruction',
  'SIGTRAP: trace trap',
  'SIGABRT: abort',
  'SIGBUS: bus error',
  'SIGFPE: floating-point exception',
  'SIGKILL: kill',
  'SIGUSR1: user-defined signal 1',
  'SIGSEGV: segmentation violation',
  'SIGUSR2: user-defined signal 2',
  'SIGPIPE: write to broken pipe',
  'SIGALRM: alarm clock',
  'SIGTERM: termination',
  'SIGSTKFLT: stack fault',
  'SIGCHLD: child status has changed',
  'SIGCONT: continue',
  'SIGSTOP: stop, unblockable',
  'SIGTSTP: keyboard stop',
  'SIGTTIN: background read from tty',
  'SIGTTOU: background write to tty',
  'SIGURG: urgent condition on socket',
  'SIGXCPU: cpu limit exceeded',
  'SIGXFSZ: file size limit exceeded',
  'SIGVTALRM: virtual alarm clock',
  'SIGPROF: profiling alarm clock',
  'SIGWINCH: window size change',
  'SIGIO: i/o now possible',
  'SIGPWR: power failure restart',
  'SIGSYS: bad system call',
]

export const Signal = {
  quit: 3,
  ill: 4,
  trap: 5,
  abrt: 6,
  bus: 7,
  fpe: 8,
  kill: 9,
  segv: 11,
  stop: 19,
  sys: 31,
} as const

/** As the runtime prints it on a line of its own: `SIGQUIT: quit`. */
export function signalText(signo: number): string {
  return sigtable[signo - 1] ?? `signal ${signo}`
}

/** `SIGQUIT`; real-time signals have numbers only. */
export function signalName(signo: number): string {
  return sigtable[signo - 1]?.split(':')[0] ?? `signal ${signo}`
}

/** What anyone may have sent with; positive codes are of the signal's own kind. */
const general: Readonly<Record<number, string>> = {
  0: 'SI_USER',
  128: 'SI_KERNEL',
  [-1]: 'SI_QUEUE',
  [-2]: 'SI_TIMER',
  [-3]: 'SI_MESGQ',
  [-4]: 'SI_ASYNCIO',
  [-5]: 'SI_SIGIO',
  [-6]: 'SI_TKILL',
  [-60]: 'SI_ASYNCNL',
}

/** From code 1 on. */
const specific: Readonly<Record<number, readonly string[]>> = {
  [Signal.ill]: 'ILLOPC ILLOPN ILLADR ILLTRP PRVOPC PRVREG COPROC BADSTK BADIADDR'
    .split(' ')
    .map(name => `ILL_${name}`),
  [Signal.trap]: 'BRKPT TRACE BRANCH HWBKPT UNK PERF'.split(' ').map(name => `TRAP_${name}`),
  [Signal.bus]: 'ADRALN ADRERR OBJERR MCEERR_AR MCEERR_AO'.split(' ').map(name => `BUS_${name}`),
  [Signal.fpe]: 'INTDIV INTOVF FLTDIV FLTOVF FLTUND FLTRES FLTINV FLTSUB'
    .split(' ')
    .map(name => `FPE_${name}`),
  [Signal.segv]: 'MAPERR ACCERR BNDERR PKUERR ACCADI ADIDERR ADIPERR MTEAERR MTESERR CPERR'
    .split(' ')
    .map(name => `SEGV_${name}`),
  [Signal.sys]: ['SYS_SECCOMP', 'SYS_USER_DISPATCH'],
}

/** `SEGV_MAPERR`, `SI_USER`; undefined for codes that have no name. */
export function signalCodeName(signo: number, code: number): string | undefined {
  return specific[signo]?.[code - 1] ?? general[code]
}

/** A process sent it (kill, tgkill, sigqueue), as opposed to the hardware or the kernel. */
export function isSent(code: number): boolean {
  return code === 0 || code === -1 || code === -6
}
