// Statements that begin or end a transaction. In a scope they must not reach the server as they are.

import { TenantScopeError } from './errors.js';

export type Control = 'begin' | 'commit' | 'rollback';

const COMMENTS = String.raw`^(?:\s|;|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)*`;
const FIRST = new RegExp(`${COMMENTS}([A-Za-z]+)(?:\\s+([A-Za-z]+))?`);
const PLAIN_BEGIN = /^\s*(?:begin(?:\s+(?:work|transaction))?|start\s+transaction)\s*;?\s*$/i;

/** What the statement does to the transaction, or `undefined`. */
export function controlOf(text: string): Control | undefined {
  const [, first = '', second = ''] = FIRST.exec(text) ?? [];
  switch (first.toUpperCase()) {
    case 'BEGIN':
      return begun(text);
    case 'START':
      return second.toUpperCase() === 'TRANSACTION' ? begun(text) : undefined;
    case 'COMMIT':
    case 'END':
      return 'commit';
    case 'ROLLBACK':
      // ROLLBACK TO SAVEPOINT stays within the transaction.
      return /\bto\b/i.test(text) ? undefined : 'rollback';
    case 'ABORT':
      return 'rollback';
    case 'PREPARE':
      if (second.toUpperCase() !== 'TRANSACTION') return undefined;
      throw new TenantScopeError('PREPARE TRANSACTION would take the transaction out of its scope');
    default:
      return undefined;
  }
}

function begun(text: string): Control {
  if (PLAIN_BEGIN.test(text)) return 'begin';
  throw new TenantScopeError('a transaction within a scope is a savepoint and has no isolation level of its own: give it to withTenant');
}
