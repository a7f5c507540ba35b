"""A project that uses the public interface, checked as strictly as its author may check it."""
