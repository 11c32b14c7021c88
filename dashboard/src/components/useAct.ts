import { useChange } from "@/lib/query";

import { useConfirm } from "./confirm";
import { useToasts } from "./toasts";

interface Act<Args> {
  run: (args: Args) => Promise<unknown>;
  /** Paths whose answers are old afterwards. */
  refresh: readonly string[];
  /** What is said when it is done. */
  done: string;
  /** What is asked before. */
  ask?: (args: Args) => { title: string; text: string; action: string };
}

/** A button's work: ask where needed, do it, say how it went. */
export function useAct<Args = void>(act: Act<Args>): {
  act: (args: Args) => Promise<boolean>;
  isBusy: boolean;
} {
  const confirm = useConfirm();
  const toasts = useToasts();
  const change = useChange(act.run, act.refresh);
  return {
    isBusy: change.isPending,
    act: async (args) => {
      if (act.ask !== undefined && !(await confirm(act.ask(args)))) return false;
      try {
        await change.mutateAsync(args);
      } catch (error) {
        toasts.failed(error);
        return false;
      }
      toasts.done(act.done);
      return true;
    },
  };
}
