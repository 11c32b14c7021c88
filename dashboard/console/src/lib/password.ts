/** What a password must have; the control plane decides, this only says so while typing. */
const LENGTH_MIN = 8;

export interface PasswordFaults {
  isShort: boolean;
  hasNoLetter: boolean;
  hasNoDigit: boolean;
  hasNoSymbol: boolean;
}

export function faultsOf(password: string): PasswordFaults {
  return {
    isShort: [...password].length < LENGTH_MIN,
    hasNoLetter: !/\p{L}/u.test(password),
    hasNoDigit: !/\p{N}/u.test(password),
    hasNoSymbol: !/[^\p{L}\p{N}]/u.test(password),
  };
}

export function isGood(password: string): boolean {
  return !Object.values(faultsOf(password)).includes(true);
}
