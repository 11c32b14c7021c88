import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// Which part may see which: features → components → lib, and api beside lib. The console (`@console`)
// is an application of its own: it shares components and lib, which know neither application.
const layer = (files, forbidden, message) => ({
  files,
  rules: {
    "no-restricted-imports": ["error", { patterns: [{ group: forbidden, message }] }],
  },
});

const NODE_ONLY = ["@/api/*", "@/app/*", "@/features/*", "@/i18n/*"];

export default tseslint.config(
  { ignores: ["src/api/schema.d.ts", "console/src/api/schema.d.ts", "node_modules"] },
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}", "console/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      eqeqeq: "error",
      // `const { gone: _gone, ...others }` leaves a member out.
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_" }],
      "no-console": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  layer(["src/app/**", "src/main.tsx"], ["@console/*"], "the console is another application"),
  layer(
    ["src/lib/**"],
    ["@/api/*", "@/components/*", "@/features/*", "@/app/*", "@console/*"],
    "lib is pure",
  ),
  layer(
    ["src/api/**"],
    ["@/components/*", "@/features/*", "@/app/*", "@console/*"],
    "api sees lib only",
  ),
  layer(
    ["src/components/**"],
    ["@/features/*", "@/app/*", "@console/*"],
    "components know no feature",
  ),
  layer(
    ["src/features/**"],
    ["@/features/*", "@/app/*", "../*/**", "@console/*"],
    "a feature imports no other feature: link to its page instead",
  ),
  layer(
    ["console/src/app/**", "console/src/main.tsx"],
    NODE_ONLY,
    "of the dashboard the console shares components and lib",
  ),
  layer(
    ["console/src/api/**", "console/src/lib/**"],
    [...NODE_ONLY, "@/components/*", "@console/components/*", "@console/features/*", "@console/app/*"],
    "api and lib see lib only",
  ),
  layer(
    ["console/src/components/**"],
    [...NODE_ONLY, "@console/features/*", "@console/app/*"],
    "components know no feature",
  ),
  layer(
    ["console/src/features/**"],
    [...NODE_ONLY, "@console/features/*", "@console/app/*", "../*/**"],
    "a feature imports no other feature: link to its page instead",
  ),
);
