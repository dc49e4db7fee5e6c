/** What is kept, where and until when. Only words. */

import { openPage } from "../shell.ts";

void openPage("privacy", () => undefined);
