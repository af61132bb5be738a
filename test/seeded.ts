import fc from "fast-check";

// A random failure that the next run does not repeat teaches nobody; another seed is a change that somebody looks at.
fc.configureGlobal({ seed: 20_211_019 });
