import { Button, Group, NativeSelect, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { LIMITS, type TableState } from "./tableState";

interface PagerProps {
  state: TableState;
  count: number | undefined;
  hasNext: boolean;
  shown: number;
}

/** Which rows these are, and the way to the others. */
export function Pager({ state, count, hasNext, shown }: PagerProps): ReactElement | null {
  const { t } = useTranslation();
  if (shown === 0 && state.page === 1) return null;
  const first = (state.page - 1) * state.limit + 1;
  const range = { first: shown === 0 ? 0 : first, last: first + shown - 1 };
  return (
    <Group justify="space-between" px="md" py="xs" component="nav" aria-label={t("pages")}>
      <Text size="sm" c="dimmed" aria-live="polite">
        {count === undefined
          ? t("range", range)
          : t("rangeOf", { ...range, total: count.toLocaleString() })}
      </Text>
      <Group gap="xs">
        <NativeSelect
          aria-label={t("rowsPerPage")}
          size="xs"
          data={LIMITS.map((limit) => ({ value: String(limit), label: t("perPage", { limit }) }))}
          value={String(state.limit)}
          onChange={(event) => state.setLimit(Number(event.currentTarget.value))}
        />
        <Button
          size="xs"
          variant="default"
          disabled={state.page === 1}
          onClick={() => state.setPage(state.page - 1)}
        >
          {t("previous")}
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={!hasNext}
          onClick={() => state.setPage(state.page + 1)}
        >
          {t("next")}
        </Button>
      </Group>
    </Group>
  );
}
