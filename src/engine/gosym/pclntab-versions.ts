/**
 * The formats of Go's function table, `runtime.pclntab`, by the magic number of its header. Sources: internal/abi (or
 * debug/gosym, cmd/internal/objabi) and runtime/symtab.go of each version. 64-bit and 32-bit programs share a format:
 * what is a machine word is said so.
 */

export interface PclnFormat {
  readonly magic: number
  /** First Go version that writes it. */
  readonly since: string
  /** A functab entry is two of these: the function's entry and where its `_func` is. */
  readonly functab: 'u32' | 'word'
  /** Offset of header words behind the fixed 8 bytes: whether `textStart` is there. */
  readonly hasTextStart: boolean
  /** `_func`: byte offsets after the entry, which is 4 bytes or a word. */
  readonly func: {
    readonly nameOff: number
    readonly args: number
    readonly deferreturn: number
    readonly pcsp: number
    readonly pcfile: number
    readonly pcln: number
    readonly npcdata: number
    readonly cuOffset: number
    readonly startLine?: number
    readonly funcID: number
    readonly flag?: number
    readonly nfuncdata: number
    readonly size: number
  }
  /** Function data are addresses, or offsets from `moduledata.gofunc`. */
  readonly funcdata: 'pointer' | 'offset'
}

const firstFields = {
  nameOff: 0,
  args: 4,
  deferreturn: 8,
  pcsp: 12,
  pcfile: 16,
  pcln: 20,
  npcdata: 24,
  cuOffset: 28,
}

/** Newest first. Go 1.26 changed the header (no textStart any more) but not the magic number. */
export const pclnFormats: readonly PclnFormat[] = [
  {
    // Go 1.20 (CL 429638): startLine.
    magic: 0xfffffff1,
    since: '1.20',
    functab: 'u32',
    hasTextStart: true,
    func: { ...firstFields, startLine: 32, funcID: 36, flag: 37, nfuncdata: 39, size: 40 },
    funcdata: 'offset',
  },
  {
    // Go 1.18 (CL 351463): entries became offsets from text.
    magic: 0xfffffff0,
    since: '1.18',
    functab: 'u32',
    hasTextStart: true,
    func: { ...firstFields, funcID: 32, flag: 33, nfuncdata: 35, size: 36 },
    funcdata: 'offset',
  },
  {
    // Go 1.16 (CL 241598): the table in parts. `flag` is of Go 1.17 and zero before.
    magic: 0xfffffffa,
    since: '1.16',
    functab: 'word',
    hasTextStart: false,
    func: { ...firstFields, funcID: 32, flag: 33, nfuncdata: 35, size: 36 },
    funcdata: 'pointer',
  },
]

/** Indices of PCDATA tables and FUNCDATA entries: internal/abi/symtab.go; unchanged since they were added. */
export const PcData = {
  unsafePoint: 0,
  stackMapIndex: 1,
  inlTreeIndex: 2,
  argLiveIndex: 3,
  panicBounds: 4,
} as const
export const FuncData = {
  argsPointerMaps: 0,
  localsPointerMaps: 1,
  stackObjects: 2,
  inlTree: 3,
  openCodedDeferInfo: 4,
  argInfo: 5,
  argLiveInfo: 6,
  wrapInfo: 7,
} as const

/** abi.FuncFlag. */
export const FuncFlag = { topFrame: 1, spWrite: 2, asm: 4 } as const
