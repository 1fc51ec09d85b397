/**
 * A filter of system calls for a process that has opened what it needs, and from here on computes and writes its answer:
 * no file is opened, no socket, no process, no other process's memory. seccomp(2) through `node:ffi` (Node 26), for all
 * threads at once; the numbers are those of asm/unistd.h. Where it can't be had, the other confinements stand alone.
 */

/** Numbers on x64 and arm64; 0 where an architecture has no such call. */
const refused: Record<string, readonly [x64: number, arm64: number]> = {
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
  // Not io_uring_enter: libuv's loop has a ring for epoll from its start, and ends the process where that fails. Who runs
  // code of their own here could ask that ring for files, which then is between them and the rights of this user.
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
}

interface Machine {
  readonly column: 0 | 1
  /** AUDIT_ARCH_*, linux/audit.h. */
  readonly audit: number
  readonly clone: number
  readonly seccomp: number
}

const machines: Partial<Record<string, Machine>> = {
  x64: { column: 0, audit: 0xc000_003e, clone: 56, seccomp: 317 },
  arm64: { column: 1, audit: 0xc000_00b7, clone: 220, seccomp: 277 },
}
const clone3 = 435
const CLONE_THREAD = 0x1_0000

/** linux/bpf_common.h, linux/seccomp.h. */
const load = 0x20
const jumpEqual = 0x15
const jumpAtLeast = 0x35
const jumpSet = 0x45
const answer = 0x06
const allow = 0x7fff_0000
const error = (errno: number): number => 0x0005_0000 | errno
const kill = 0x8000_0000
const EPERM = 1
const ENOSYS = 38
/** Calls of the x32 interface, which would get around the numbers above. */
const x32 = 0x4000_0000

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number]

/** struct sock_filter for each instruction: whatever is not refused is allowed. */
export function filterProgram({ column, audit, clone }: Machine): Buffer {
  const numbers = Object.values(refused)
    .map(row => row[column])
    .filter(number => number !== 0)
  const program: Instruction[] = [
    // struct seccomp_data: nr, arch, instruction_pointer, args.
    [load, 0, 0, 4],
    [jumpEqual, 1, 0, audit],
    [answer, 0, 0, kill],
    [load, 0, 0, 0],
    [jumpAtLeast, 0, 1, x32],
    [answer, 0, 0, error(EPERM)],
    ...numbers.flatMap((number): Instruction[] => [
      [jumpEqual, 0, 1, number],
      [answer, 0, 0, error(EPERM)],
    ]),
    // glibc then takes clone, whose flags can be looked at.
    [jumpEqual, 0, 1, clone3],
    [answer, 0, 0, error(ENOSYS)],
    [jumpEqual, 0, 3, clone],
    [load, 0, 0, 16],
    [jumpSet, 1, 0, CLONE_THREAD],
    [answer, 0, 0, error(EPERM)],
    [answer, 0, 0, allow],
  ]
  const bytes = Buffer.alloc(8 * program.length)
  for (const [i, [code, ifTrue, ifFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * i)
    bytes.writeUInt8(ifTrue, 8 * i + 2)
    bytes.writeUInt8(ifFalse, 8 * i + 3)
    bytes.writeUInt32LE(k, 8 * i + 4)
  }
  return bytes
}

interface Ffi {
  dlopen(library: string | null, functions: object): { functions: Functions }
  getRawPointer(buffer: Uint8Array): bigint
}
interface Functions {
  prctl(option: number, value: bigint, c: bigint, d: bigint, e: bigint): number
  syscall(number: bigint, operation: bigint, flags: bigint, program: Uint8Array): bigint
}

const PR_SET_NO_NEW_PRIVS = 38
const SECCOMP_SET_MODE_FILTER = 1n
const SECCOMP_FILTER_FLAG_TSYNC = 1n

/** Shuts this process in for good, all its threads; false where that can't be had here. */
export function shutIn(): boolean {
  const machine = machines[process.arch]
  if (machine === undefined || process.platform !== 'linux') return false
  try {
    const ffi = process.getBuiltinModule('node:ffi' as never) as unknown as Ffi | undefined
    if (ffi === undefined) return false
    const { functions } = ffi.dlopen(null, {
      prctl: { arguments: ['int32', 'uint64', 'uint64', 'uint64', 'uint64'], return: 'int32' },
      syscall: { arguments: ['int64', 'uint64', 'uint64', 'buffer'], return: 'int64' },
    })
    const filter = filterProgram(machine)
    // struct sock_fprog: the number of instructions, and where they are.
    const program = Buffer.alloc(16)
    program.writeUInt16LE(filter.length / 8, 0)
    program.writeBigUInt64LE(ffi.getRawPointer(filter), 8)
    if (functions.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) !== 0) return false
    const number = BigInt(machine.seccomp)
    return functions.syscall(number, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program) === 0n
  } catch {
    return false
  }
}
