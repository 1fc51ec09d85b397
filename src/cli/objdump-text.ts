/** iced's AT&T and Intel texts, changed where `objdump -d` of GNU binutils writes something else. */

export function asObjdumpGnu(text: string): string {
  return text
    .replace(/\((%\w+),(%\w+)\)/, '($1,$2,1)')
    .replace(/^((?:sh[lr]|sa[lr]|ro[lr]|rc[lr])[bwlq]? +)\$0x1,/, '$1')
    .replace(
      /^(call|jmp|lcall|ljmp|lret|ret|iret|leave|enter)q( *)/,
      (_, name: string, room: string) => name + (room === '' ? '' : ' '.repeat(Math.max(1, 7 - name.length))),
    )
    .replace(/^(imul[lqw]? +\$\w+),(%\w+)$/, '$1,$2,$2')
    .replace(/^((?:rep[nez]* )?(?:stos|scas|movs|cmps|ins)[bwlq]? +.*)(?=\(%[er]di\))(?!.*xmm)/, '$1%es:')
    .replace(/^((?:rep[nez]* )?(?:movs|cmps|lods|outs)[bwlq]? +(?:.*,)?)(?=\(%[er]si\))(?!.*xmm)/, '$1%ds:')
}

const stringSizes: Readonly<Record<string, readonly [keyword: string, accumulator: string]>> = {
  b: ['BYTE', 'al'],
  w: ['WORD', 'ax'],
  d: ['DWORD', 'eax'],
  q: ['QWORD', 'rax'],
}

export function asObjdumpIntel(text: string): string {
  return text
    .replace(/\b([c-gs]s):\[(0x\w+)\]/, '$1:$2')
    .replace(/^(push|pop)fq$/, '$1f')
    .replace(/\b(?:byte|word|dword|qword|tbyte|fword|[xyz]mmword) (?:ptr|bcst)\b/, keyword =>
      keyword.toUpperCase(),
    )
    .replace(/^((?:sh[lr]|sa[lr]|ro[lr]|rc[lr]) +.*),0x1$/, '$1,1')
    .replace(/^(imul +)(\w+),(0x\w+)$/, '$1$2,$2,$3')
    .replace(
      /\[rip-0x([0-9a-f]+)\]/,
      (_, hex: string) => `[rip+0x${BigInt.asUintN(64, -BigInt(`0x${hex}`)).toString(16)}]`,
    )
    .replace(/^xchg( +)(\w+),(.* PTR .*)$/, 'xchg$1$3,$2')
    .replace(
      /^((?:rep[nez]* )?)(stos|movs|scas|lods|cmps)([bwdq])$/,
      (_, rep: string, name: string, size: string) => rep + stringText(name, ...stringSizes[size]!),
    )
}

function stringText(name: string, keyword: string, accumulator: string): string {
  const [to, from] = [`${keyword} PTR es:[rdi]`, `${keyword} PTR ds:[rsi]`]
  const operands = {
    stos: `${to},${accumulator}`,
    scas: `${accumulator},${to}`,
    lods: `${accumulator},${from}`,
    movs: `${to},${from}`,
    cmps: `${from},${to}`,
  }[name]
  return `${name} ${operands}`.replace(/^(\S+) /, (_, m: string) => m.padEnd(name.length + 1))
}
