"""The last resort: symbolic algebra by Math-Verify, in processes that can be killed."""
