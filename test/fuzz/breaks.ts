export async function breakEach(_seconds: number, _seed: number, _target: string | undefined): Promise<number> {
  return 0;
}
