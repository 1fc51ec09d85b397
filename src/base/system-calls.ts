/**
 * System calls that Node has no name for, through `node:ffi` (Node 26, still experimental) and syscall(2). All that builds on
 * them has a way on without them.
 */

/** Numbers on x64 and arm64 (asm/unistd.h); 0 where an architecture has no such call. */
const callNumbers = {
  open: [2, 0],
  creat: [85, 0],
  openat: [257, 56],
  openat2: [437, 437],
  open_by_handle_at: [304, 265],
  memfd_create: [319, 279],
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  bind: [49, 200],
  listen: [50, 201],
  accept: [43, 202],
  accept4: [288, 242],
  sendto: [44, 206],
  sendmsg: [46, 211],
  execve: [59, 221],
  execveat: [322, 281],
  fork: [57, 0],
  vfork: [58, 0],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kill: [62, 129],
  tkill: [200, 130],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
  io_uring_setup: [425, 425],
  io_uring_register: [427, 427],
  mount: [165, 40],
  umount2: [166, 39],
  chroot: [161, 51],
  pivot_root: [155, 41],
  setns: [308, 268],
  unshare: [272, 97],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  init_module: [175, 105],
  finit_module: [313, 273],
  personality: [135, 92],
  unlink: [87, 0],
  unlinkat: [263, 35],
  rename: [82, 0],
  renameat: [264, 38],
  renameat2: [316, 276],
  mkdir: [83, 0],
  mkdirat: [258, 34],
  symlink: [88, 0],
  symlinkat: [266, 36],
  link: [86, 0],
  linkat: [265, 37],
  mknod: [133, 0],
  mknodat: [259, 33],
  chmod: [90, 0],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  chown: [92, 0],
  fchown: [93, 55],
  fchownat: [260, 54],
  truncate: [76, 45],
  setxattr: [188, 5],
  fsetxattr: [190, 7],
  io_uring_enter: [426, 426],
  tgkill: [234, 131],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  delete_module: [176, 106],
  acct: [163, 89],
  iopl: [172, 0],
  ioperm: [173, 0],
  syslog: [103, 116],
  fsopen: [430, 430],
  fsmount: [432, 432],
  move_mount: [429, 429],
  open_tree: [428, 428],
  mount_setattr: [442, 442],
  lchown: [94, 0],
  fchmodat2: [452, 452],
  setuid: [105, 146],
  setgid: [106, 144],
  setreuid: [113, 145],
  setregid: [114, 143],
  setresuid: [117, 147],
  setresgid: [119, 149],
  setgroups: [116, 159],
  fgetxattr: [193, 10],
  flock: [73, 32],
  statx: [332, 291],
  prctl: [157, 167],
  capget: [125, 90],
  capset: [126, 91],
  prlimit64: [302, 261],
  ioprio_set: [251, 30],
  ioctl: [16, 29],
  seccomp: [317, 277],
  landlock_create_ruleset: [444, 444],
  landlock_add_rule: [445, 445],
  landlock_restrict_self: [446, 446],
} as const satisfies Record<string, readonly [x64: number, arm64: number]>

export type CallName = keyof typeof callNumbers

/** What neither a handler nor an analysis ever does: programs, other processes, the machine's own settings, other identities. */
export const foreignCalls = [
  ...['execve', 'execveat', 'fork', 'vfork', 'ptrace', 'process_vm_readv', 'process_vm_writev', 'tkill'],
  ...[
    'pidfd_open',
    'pidfd_getfd',
    'pidfd_send_signal',
    'io_uring_setup',
    'io_uring_enter',
    'io_uring_register',
  ],
  ...[
    'mount',
    'umount2',
    'fsopen',
    'fsmount',
    'move_mount',
    'open_tree',
    'mount_setattr',
    'chroot',
    'pivot_root',
  ],
  ...['setns', 'unshare', 'bpf', 'perf_event_open', 'userfaultfd', 'add_key', 'request_key', 'keyctl'],
  ...[
    'init_module',
    'finit_module',
    'delete_module',
    'kexec_load',
    'kexec_file_load',
    'reboot',
    'swapon',
    'swapoff',
  ],
  ...[
    'settimeofday',
    'clock_settime',
    'adjtimex',
    'sethostname',
    'setdomainname',
    'acct',
    'iopl',
    'ioperm',
    'syslog',
  ],
  ...[
    'personality',
    'open_by_handle_at',
    'memfd_create',
    'setuid',
    'setgid',
    'setreuid',
    'setregid',
    'setresuid',
  ],
  ...['setresgid', 'setgroups', 'socketpair', 'bind', 'listen', 'accept', 'accept4'],
  ...[
    'symlink',
    'symlinkat',
    'link',
    'linkat',
    'mknod',
    'mknodat',
    'chmod',
    'fchmodat',
    'fchmodat2',
    'truncate',
  ],
  ...['chown', 'lchown', 'fchownat', 'setxattr'],
] as const satisfies readonly CallName[]

/** Which column of the table is this machine's; undefined where it has none. */
const column = ({ x64: 0, arm64: 1 } as const)[process.arch as string]

/** This machine's number of a call; undefined where it has none. */
export const callNumber = (name: CallName): number | undefined =>
  column === undefined ? undefined : callNumbers[name][column] || undefined

type Argument = number | bigint | Uint8Array

interface Ffi {
  dlopen(library: string | null, functions: object): { functions: { syscall(...args: bigint[]): bigint } }
  getRawPointer(buffer: Uint8Array): bigint
}

const mostArguments = 5

export class SystemCalls {
  readonly #ffi: Ffi
  readonly #syscall: (...args: bigint[]) => bigint

  constructor(ffi: Ffi) {
    this.#ffi = ffi
    const long = 'int64'
    const signature = { arguments: Array<string>(1 + mostArguments).fill(long), return: long }
    this.#syscall = ffi.dlopen(null, { syscall: signature }).functions.syscall
  }

  /** What the kernel answers, -1 for every error; buffers go as their addresses. */
  call(name: CallName, ...args: readonly Argument[]): number {
    const number = callNumber(name)
    if (number === undefined) return -1
    const words = Array.from({ length: mostArguments }, (_, i) => {
      const argument = args[i] ?? 0
      return typeof argument === 'object' ? this.#ffi.getRawPointer(argument) : BigInt(argument)
    })
    return Number(this.#syscall(BigInt(number), ...words))
  }

  /** The address of what `bytes` holds, which lasts as long as they do. */
  address(bytes: Uint8Array): bigint {
    return this.#ffi.getRawPointer(bytes)
  }
}

let opened: SystemCalls | undefined

/** Undefined where there is no such way: switched off, not permitted, another platform. */
export function openSystemCalls(): SystemCalls | undefined {
  if (opened !== undefined || process.platform !== 'linux' || column === undefined) return opened
  try {
    const ffi = process.getBuiltinModule('node:ffi' as never) as unknown as Ffi | undefined
    opened = ffi && new SystemCalls(ffi)
  } catch {
    // As if there were none.
  }
  return opened
}

const PR_SET_NO_NEW_PRIVS = 38

/** No program that this thread starts gets rights that the thread has not. */
export const forgoPrivileges = (calls: SystemCalls): boolean =>
  calls.call('prctl', PR_SET_NO_NEW_PRIVS, 1) === 0
