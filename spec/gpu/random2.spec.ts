// Half of the random programs of each run; see spec/fuzz/slice.ts.
import { onTheAdapter } from "../fuzz/slice.ts";

onTheAdapter(2, [30, 60]);
