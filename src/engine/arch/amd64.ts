/**
 * x86-64. Register order: `struct user_regs_struct`, arch/x86/include/asm/user_64.h. Signal frame: `struct
 * rt_sigframe` (pretcode, then ucontext), arch/x86/include/asm/sigframe.h; `struct sigcontext_64` begins at byte 40 of
 * the ucontext, arch/x86/include/uapi/asm/{ucontext,sigcontext}.h.
 */
import { Machine } from '../elf/constants.ts'
import type { Arch } from './arch.ts'

const mcontext = 40
const sigcontext = [
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi', 'rbp', 'rbx', 'rdx', 'rax', 'rcx'],
  ...['rsp', 'rip', 'eflags'],
]

export const amd64: Arch = {
  name: 'amd64',
  machine: Machine.x86_64,
  ptrSize: 8,
  littleEndian: true,
  prstatus: { size: 336, cursig: 12, pid: 32, regs: 112 },
  registers: [
    ...[
      'r15',
      'r14',
      'r13',
      'r12',
      'rbp',
      'rbx',
      'r11',
      'r10',
      'r9',
      'r8',
      'rax',
      'rcx',
      'rdx',
      'rsi',
      'rdi',
    ],
    ...['orig_rax', 'rip', 'cs', 'eflags', 'rsp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs'],
  ],
  pc: 'rip',
  sp: 'rsp',
  fp: 'rbp',
  // internal/abi: R14 is the current goroutine in ABIInternal.
  g: 'r14',
  // runtime.tls_g: the word below the thread pointer (cmd/link, TLS local exec).
  tls: { base: 'fs_base', gOffset: -8 },
  minFrameSize: 0,
  savesFramePointer: true,
  pcQuantum: 1,
  // R_X86_64_RELATIVE, x86-64 psABI table 4.9.
  relativeRelocation: 8,
  ucontext: Object.fromEntries(sigcontext.map((name, i) => [name, mcontext + 8 * i])),
  sigframeUcontext: 8,
  // uc_flags, uc_link, uc_stack, sigcontext_64 (256 bytes), uc_sigmask of 8 bytes.
  sigframeSiginfo: 8 + 304,
}
