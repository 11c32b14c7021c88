/** Short messages about what was done, read out by screen readers. */
import { Notification } from "@mantine/core";
import { createContext, useCallback, useContext, useMemo, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/error";

import { useAdvice } from "./ErrorPanel";

interface Toast {
  id: number;
  text: string;
  title?: string;
  isError: boolean;
}

interface Toasts {
  done: (text: string) => void;
  failed: (error: unknown) => void;
}

const SHOWN_MAX = 4;
// Long enough to be read, and heard, whatever else happens.
const SHOWN_MS = 10_000;
const Context = createContext<Toasts>({ done: () => undefined, failed: () => undefined });
let ids = 0;

export function useToasts(): Toasts {
  return useContext(Context);
}

export function ToastProvider({ children }: { children: ReactNode }): ReactElement {
  const { t } = useTranslation();
  const advice = useAdvice();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const close = useCallback((id: number) => {
    setToasts((shown) => shown.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback(
    (toast: Omit<Toast, "id">) => {
      const id = ++ids;
      setToasts((shown) => [...shown.slice(1 - SHOWN_MAX), { ...toast, id }]);
      // A failure stays until it was read.
      if (!toast.isError) setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  const value = useMemo<Toasts>(
    () => ({
      done: (text) => show({ text, isError: false }),
      failed: (error) => {
        const shown = ApiError.from(error);
        show({ title: shown.code, text: `${shown.message} ${advice(shown)}`, isError: true });
      },
    }),
    [advice, show],
  );
  return (
    <Context.Provider value={value}>
      {children}
      <div className="toasts" aria-live="polite" role="status">
        {toasts.map((toast) => (
          <Notification
            key={toast.id}
            color={toast.isError ? "red" : "teal"}
            title={toast.title}
            withBorder
            onClose={() => close(toast.id)}
            closeButtonProps={{ "aria-label": t("close") }}
          >
            {toast.text}
          </Notification>
        ))}
      </div>
    </Context.Provider>
  );
}
