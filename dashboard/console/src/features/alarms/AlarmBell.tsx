/** How many alarms the project has that nobody has ended, in the head of every page. */
import { Badge, Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@console/api/hooks";
import type { Place } from "@console/components/place";

import { useLiveAlarms } from "./live";
import { SUMMARY } from "./paths";
import { alarmsPath } from "./tabs";

export function AlarmBell({ place }: { place: Place }): ReactElement | null {
  const { t } = useTranslation("alarms");
  useLiveAlarms(place);
  const { data } = useGet(SUMMARY, { path: { ...place } });
  if (data === undefined) return null;
  const label = t("bell", { count: data.current, critical: data.critical });
  return (
    <Button
      component={Link}
      to={alarmsPath(place)}
      variant="subtle"
      size="xs"
      title={label}
      rightSection={
        <Badge
          aria-hidden="true"
          size="sm"
          circle={data.current < 10}
          color={data.critical > 0 ? "red" : data.current > 0 ? "orange" : "gray"}
        >
          {data.current}
        </Badge>
      }
    >
      {t("short")}
      <span className="hidden-text"> {label}</span>
    </Button>
  );
}
