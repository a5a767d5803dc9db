import { defineConfig } from "vite";

// One module and what it loads, beside the console's other static files.
export default defineConfig({
  base: "./",
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: "../static/viewer",
    emptyOutDir: true,
    chunkSizeWarningLimit: 2500,
    lib: { entry: "src/viewer.ts", formats: ["es"], fileName: () => "viewer.js" },
  },
  define: { "process.env.NODE_ENV": '"production"' },
});
