// A quarter of the programs of each run; see slice.ts.
import { onTheAdapter } from "./slice.ts";

onTheAdapter(1);
