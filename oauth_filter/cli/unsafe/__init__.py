"""Settings that run but should not go into production: what is wrong with each, and how to mend it.

After RFC 9700 and the security considerations of the RFCs an option names. What is listed here is never refused:
each has its use on a test machine or with a legacy client.
"""

from oauth_filter.cli.unsafe.files import unsafe_files
from oauth_filter.cli.unsafe.row import Unsafe
from oauth_filter.cli.unsafe.settings import unsafe_settings

__all__ = ["Unsafe", "unsafe_files", "unsafe_settings"]
