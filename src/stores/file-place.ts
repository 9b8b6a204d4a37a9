/**
 * Where the keyring of one namespace is, and the files in that folder as a process may trust them.
 */

import { dirname } from 'node:path';
import { damaged } from './file-errors.js';
import { Guard, type Owner } from './file-guard.js';
import { folderName } from './file-record.js';
import type { FileFacts, FileSystem } from './file-system.js';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A file that was read and is still open. */
export interface OpenedFile {
  readonly fd: number;
  readonly facts: FileFacts;
  readonly text: string;
}

export class Place {
  readonly system: FileSystem;
  /** The path that was given to the store. */
  readonly root: string;
  readonly namespace: string;
  /** The folder of the namespace. */
  readonly path: string;
  readonly guard: Guard;

  constructor(system: FileSystem, root: string, namespace: string) {
    this.system = system;
    this.root = root;
    this.namespace = namespace;
    this.path = `${root}/${folderName(namespace)}`;
    this.guard = new Guard(system, root, dirname(root));
  }

  file(...names: readonly string[]): string {
    return [this.path, ...names].join('/');
  }

  /**
   * Opens and reads a file. Null if there is none.
   * @throws {StoreError} if it is not the owner's alone to write
   */
  async open(path: string, owner: Owner, maxBytes = MAX_FILE_BYTES): Promise<OpenedFile | null> {
    const fd = await this.system.open(path);
    if (fd === null) return null;
    try {
      const facts = await this.system.factsOfOpen(fd);
      this.guard.assertSafe(path, facts, owner, 'file');
      if (facts.bytes > maxBytes) throw damaged(this.root, `${path} is too long`);
      return { fd, facts, text: await this.system.read(fd, facts.bytes) };
    } catch (error) {
      await this.system.close(fd);
      throw error;
    }
  }

  /** The text of a file. Null if there is none. */
  async text(path: string, owner: Owner, maxBytes?: number): Promise<string | null> {
    const opened = await this.open(path, owner, maxBytes);
    if (opened === null) return null;
    await this.system.close(opened.fd);
    return opened.text;
  }
}
